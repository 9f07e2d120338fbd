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
        steps: z.array(z.object({ settledAt: z.coerce.date().nullable() })),
      }),
    ),
  }),
});

/**
 * How long each write of the newest sign-ups took in milliseconds, from when it was asked for, or the
 * one before it was done, until it was done.
 */
export async function readWaits(graph: Graph, count: number): Promise<number[][]> {
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const { writeRequests } = await graph(
      `query ($count: Int!) {
        writeRequests(filter: { cause: { service: "referrals" } }, first: $count) {
          nodes { state createdAt steps { settledAt } } } }`,
      { count },
      Requests,
    );
    const { nodes } = writeRequests;
    const done = nodes.filter(({ state }) => state === 'SUCCEEDED');
    if (done.length === count) return done.map(waitsOf);
    if (performance.now() > deadline) {
      throw new Error(`Of ${count} sign-ups: ${nodes.map(({ state }) => state).join(', ')}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

type Request = z.output<typeof Requests>['writeRequests']['nodes'][number];

function waitsOf({ createdAt, steps }: Request): number[] {
  let since = Number(createdAt);
  return steps.flatMap(({ settledAt }) => {
    if (settledAt === null) return [];
    const waited = Number(settledAt) - since;
    since = Number(settledAt);
    return [waited];
  });
}
