import { definePageRequest, defineRequest } from '@manifold/contracts';
import { silentLog as log, startTestNats } from '@manifold/testing';
import { connect, type Msg } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { askForPage, respondWithPages } from './page-requests.ts';
import { ask, type Responder, respondTo, serveRequests } from './requests.ts';

const service = 'connections';
/** Longer than a silence that counts as the end of a replica. */
const SLOW_MS = 1_500;

const { nats, url, stop } = await startTestNats();
const Double = defineRequest(
  'request.connections.double.v1',
  z.object({ n: z.int() }),
  z.object({ twice: z.int() }),
);
const Read = definePageRequest('request.connections.read.v1', {
  question: z.object({ count: z.int() }),
  item: z.int(),
  end: z.object({ nextCursor: z.null() }),
});
const double = respondTo(Double, async ({ n }) => ({ twice: 2 * n }));
const read = respondWithPages(Read, async ({ count }) => ({
  items: Array.from({ length: count }, (_, n) => n),
  end: { nextCursor: null },
}));

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const one of stops.splice(0)) await one();
});
afterAll(stop);

test('a question in hand of a replica that is killed is answered by another within a second', async () => {
  const { killed } = await startDoomed(Double.subject);
  const askedAt = performance.now();
  const answer = ask(nats, Double, { n: 4 });
  await killed;
  await serve(double);

  expect(await answer).toEqual({ twice: 8 });
  expect(performance.now() - askedAt).toBeLessThan(2_000);
});

test('a page is read from its start again when its replica is killed half-way', async () => {
  const { killed } = await startDoomed(Read.subject, (message) =>
    message.respond('{"sequence":0,"items":[0]}'),
  );
  const page = askForPage(nats, Read, { count: 3 });
  await killed;
  await serve(read);

  expect(await page).toEqual({ items: [0, 1, 2], end: { nextCursor: null } });
});

test('a replica that is slow gives signs, so that nobody else is asked', async () => {
  let asked = 0;
  const slow = respondTo(Double, async ({ n }) => {
    asked += 1;
    await sleep(SLOW_MS);
    return { twice: 2 * n };
  });
  await serve(slow);

  // those beyond the first 64 wait for their turn, and give signs all the same
  const answers = await Promise.all(Array.from({ length: 70 }, (_, n) => ask(nats, Double, { n })));
  expect(answers).toHaveLength(70);
  expect(asked).toBe(70);
});

test('a service that says nothing is asked three times at most', async () => {
  let asked = 0;
  const silent = nats.subscribe(Double.subject, { callback: () => void (asked += 1) });
  await expect(ask(nats, Double, { n: 1 }, { timeoutMs: 2_500 })).rejects.toMatchObject({
    kind: 'unavailable',
  });
  silent.unsubscribe();

  expect(asked).toBe(3);
});

test('an asker of an earlier release, who takes any reply for the answer, is given no signs', async () => {
  const slow = respondTo(Double, async ({ n }) => {
    await sleep(SLOW_MS);
    return { twice: 2 * n };
  });
  await serve(slow);

  const answer = await nats.request(Double.subject, '{"n":4}', { timeout: 5_000 });
  expect(answer.json()).toEqual({ ok: { twice: 8 } });
});

async function serve(responder: Responder): Promise<void> {
  stops.push(serveRequests({ nats, service, responders: [responder], log }));
  await nats.flush();
}

/** A replica whose connection ends with the first question it gets; settles when that has happened. */
async function startDoomed(
  subject: string,
  before: (message: Msg) => void = () => undefined,
): Promise<{ killed: Promise<void> }> {
  const replica = await connect({ servers: url, reconnect: false });
  const killed = new Promise<void>((resolve, reject) => {
    replica.subscribe(subject, {
      queue: service,
      callback: (_, message) => {
        before(message);
        replica
          .flush()
          .then(() => replica.close())
          .then(resolve, reject);
      },
    });
  });
  await replica.flush();
  return { killed };
}
