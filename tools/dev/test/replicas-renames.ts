import { eventually } from '@manifold/testing';
import { expect } from 'vitest';
import { z } from 'zod';
import type { Graph } from '../src/graph.ts';

/** What the persons of a change set are called afterwards, and nobody else. */
const RENAMED = 'Renamed';
const PATIENT = { timeoutMs: 30_000 };

/** Plans another name for the oldest persons, says yes, and returns the set when some of them were written. */
export async function startRenaming(graph: Graph, count: number): Promise<string> {
  const { connections } = await graph(
    '{ connections { nodes { id } } }',
    {},
    z.object({ connections: z.object({ nodes: z.array(z.object({ id: z.string() })) }) }),
  );
  const changes = Array.from({ length: count }, (_, index) => ({
    object: 'PERSON',
    identity: [{ kind: 'PIPEDRIVE_ID', value: String(index + 1) }],
    fields: [{ code: 'name', value: `${RENAMED} ${index + 1}` }],
  }));
  const connectionId = connections.nodes[0]?.id;
  const { planChangeSet } = await graph(
    'mutation ($input: PlanChangeSetInput!) { planChangeSet(input: $input) { changeSet { id } } }',
    { input: { connectionId, title: 'Names', changes } },
    z.object({ planChangeSet: z.object({ changeSet: z.object({ id: z.string() }) }) }),
  );
  const { id } = planChangeSet.changeSet;
  const hash = await eventually(async () => {
    const set = await readSet(graph, id);
    expect(set.state).toBe('AWAITING_APPROVAL');
    return set.hash;
  }, PATIENT);
  await graph(
    'mutation ($input: ApproveChangeSetInput!) { approveChangeSet(input: $input) { changeSet { id } } }',
    { input: { id, hash } },
    z.unknown(),
  );
  const { applied } = await eventually(async () => {
    const { outcomes } = await readSet(graph, id);
    expect(outcomes.applied).toBeGreaterThan(0);
    return outcomes;
  }, PATIENT);
  expect(applied).toBeLessThan(count);
  return id;
}

const ChangeSet = z.object({
  state: z.string(),
  hash: z.string().nullable(),
  outcomes: z.object({ applied: z.int() }),
});

async function readSet(graph: Graph, id: string): Promise<z.output<typeof ChangeSet>> {
  const { changeSet } = await graph(
    'query ($id: ID!) { changeSet(id: $id) { state hash outcomes { applied } } }',
    { id },
    z.object({ changeSet: ChangeSet }),
  );
  return changeSet;
}

/** Every person was written once, the set is done, and contacts knows each of them by the new name. */
export async function expectRenamed(
  graph: Graph,
  { id, count, controlUrl }: { id: string; count: number; controlUrl: string },
): Promise<void> {
  const { changeSet, contacts } = await graph(
    `query ($id: ID!, $name: String!) {
       changeSet(id: $id) { state outcomes { applied skipped parked } }
       contacts(filter: { nameContains: $name }, first: 1) { totalCount } }`,
    { id, name: `${RENAMED} ` },
    z.object({ changeSet: z.unknown(), contacts: z.unknown() }),
  );
  expect({ changeSet, contacts, writes: await countWrites(controlUrl) }).toEqual({
    changeSet: { state: 'DONE', outcomes: { applied: count, skipped: 0, parked: 0 } },
    contacts: { totalCount: count },
    writes: Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`/api/v2/persons/${index + 1}`, 1]),
    ),
  });
}

const Requests = z.array(
  z.object({ method: z.string(), path: z.string(), status: z.int().nullable() }),
);

/** How often each person was changed, by the address of the change; also when nobody heard the answer. */
async function countWrites(controlUrl: string): Promise<Record<string, number>> {
  const answer = await fetch(`${controlUrl}/requests?limit=5000`);
  const written = Requests.parse(await answer.json()).filter(
    ({ method, path, status }) =>
      method === 'PATCH' &&
      path.startsWith('/api/v2/persons/') &&
      (status === null || status < 400),
  );
  const byPath = Map.groupBy(written, ({ path }) => path);
  return Object.fromEntries([...byPath].map(([path, { length }]) => [path, length]));
}
