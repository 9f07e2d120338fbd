import { setTimeout as sleep } from 'node:timers/promises';
import type { Graph } from '@manifold/dev/graph';
import { z } from 'zod';

const LOOK_EVERY_MS = 100;
const SETTLED_WITHIN_MS = 30_000;

const Requests = z.object({
  writeRequests: z.object({
    nodes: z.array(
      z.object({
        state: z.string(),
        createdAt: z.coerce.date(),
        settledAt: z.coerce.date().nullable(),
      }),
    ),
  }),
});

/** How long each of the newest sign-ups waited from asking until its writes were done, in milliseconds. */
export async function readWaits(graph: Graph, count: number): Promise<number[]> {
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const { writeRequests } = await graph(
      `query ($count: Int!) {
        writeRequests(filter: { cause: { service: "referrals" } }, first: $count) {
          nodes { state createdAt settledAt } } }`,
      { count },
      Requests,
    );
    const { nodes } = writeRequests;
    const waits = nodes.flatMap(({ state, createdAt, settledAt }) =>
      state === 'SUCCEEDED' && settledAt ? [Number(settledAt) - Number(createdAt)] : [],
    );
    if (waits.length === count) return waits;
    if (performance.now() > deadline) {
      throw new Error(`Of ${count} sign-ups: ${nodes.map(({ state }) => state).join(', ')}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}
