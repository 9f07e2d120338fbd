import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Graph } from '@manifold/dev/graph';
import type { Installation } from '@manifold/dev/installation';
import { z } from 'zod';
import type { Figure } from '../measuring/figures.ts';
import { readCampaign, signUp } from '../measuring/sign-ups.ts';

const CHANGES = 50;
const SIGN_UPS = 20;
const LOOK_EVERY_MS = 5;
const SEEN_WITHIN_MS = 30_000;

/** From a person's PATCH answered by the local Pipedrive to the new name in the graph. */
export async function measureChanges(manifold: Installation): Promise<Figure> {
  const graph = await manifold.graph();
  const samples: number[] = [];
  for (const { id, pipedriveId } of await readContacts(graph)) {
    await settle();
    const name = `Changed ${randomUUID()}`;
    await manifold.pipedrive(`/api/v2/persons/${pipedriveId}`, { method: 'PATCH', body: { name } });
    samples.push(await millisecondsUntil(async () => (await readName(graph, id)) === name));
  }
  return { name: 'person changed in Pipedrive → in the graph', unit: 'ms', samples };
}

/** From a sign-up answered by the graph to its lead readable in the local Pipedrive. */
export async function measureSignUps(manifold: Installation): Promise<Figure> {
  const graph = await manifold.graph();
  const campaignId = await readCampaign(graph);
  let known = await countLeads(manifold);
  const samples: number[] = [];
  for (let person = 0; person < SIGN_UPS; person += 1) {
    await settle();
    await signUp(graph, campaignId);
    samples.push(await millisecondsUntil(async () => (await countLeads(manifold)) > known));
    known += 1;
  }
  return { name: 'sign-up answered → lead in Pipedrive', unit: 'ms', samples };
}

/** Lets the last sample's work end; uneven, so as not to keep step with something periodic. */
const settle = (): Promise<void> => sleep(300 + randomInt(200));

async function millisecondsUntil(isSeen: () => Promise<boolean>): Promise<number> {
  const startedAt = performance.now();
  while (!(await isSeen())) {
    if (performance.now() - startedAt > SEEN_WITHIN_MS)
      throw new Error(`Not seen within ${SEEN_WITHIN_MS / 1000} s`);
    await sleep(LOOK_EVERY_MS);
  }
  return performance.now() - startedAt;
}

const Contact = z.object({ id: z.string(), pipedriveId: z.string() });

async function readContacts(graph: Graph): Promise<z.output<typeof Contact>[]> {
  const { contacts } = await graph(
    'query ($first: Int!) { contacts(first: $first) { nodes { id pipedriveId } } }',
    { first: CHANGES },
    z.object({ contacts: z.object({ nodes: z.array(Contact).length(CHANGES) }) }),
  );
  return contacts.nodes;
}

async function readName(graph: Graph, id: string): Promise<string | null> {
  const { contact } = await graph(
    'query ($id: ID!) { contact(id: $id) { name } }',
    { id },
    z.object({ contact: z.object({ name: z.string().nullable() }) }),
  );
  return contact.name;
}

/** Fits on one page: the demo's leads and ours. */
async function countLeads(manifold: Installation): Promise<number> {
  const Leads = z.object({ data: z.array(z.unknown()) });
  return Leads.parse(await manifold.pipedrive('/api/v1/leads?limit=500')).data.length;
}
