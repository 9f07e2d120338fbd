import { randomUUID } from 'node:crypto';
import type { Graph } from '@manifold/dev/graph';
import { z } from 'zod';

/** The demo's. */
export async function readCampaign(graph: Graph): Promise<string> {
  const { campaigns } = await graph(
    '{ campaigns(first: 1) { nodes { id } } }',
    {},
    z.object({ campaigns: z.object({ nodes: z.tuple([z.object({ id: z.string() })]) }) }),
  );
  return campaigns.nodes[0].id;
}

/** Somebody new, who becomes a person and a lead in Pipedrive. */
export async function signUp(graph: Graph, campaignId: string): Promise<void> {
  const id = randomUUID();
  await graph(
    'mutation ($input: SignUpInput!) { signUp(input: $input) { created } }',
    { input: { campaignId, email: `${id}@example.net`, firstName: 'Bench', lastName: id } },
    z.object({ signUp: z.object({ created: z.literal(true) }) }),
  );
}
