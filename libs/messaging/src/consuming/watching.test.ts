import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { watched } from './watching.ts';

const LOOK_MS = 5;

/** A consumer that brings some messages, then nothing until it is closed. */
function createConsumer(messages: number) {
  let close = () => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  async function* bring() {
    for (let n = 0; n < messages; n += 1) yield { seq: n } as JsMsg;
    await closed;
  }
  // the two things that watching uses
  return Object.assign(bring(), { close: async () => close() }) as unknown as ConsumerMessages;
}

const watch = async (
  messages: number,
  options: { undelivered?: number | undefined; session?: () => string; stuckMs?: number },
) => {
  const { session = () => 'one', stuckMs = 4 * LOOK_MS } = options;
  const told: string[] = [];
  const got: number[] = [];
  const handedOn = watched(createConsumer(messages), {
    ...{ session, stuckMs, lookMs: LOOK_MS },
    countUndelivered: async () => options.undelivered,
    onStuck: () => told.push('stuck'),
  });
  for await (const { seq } of handedOn) got.push(seq);
  return { got, told };
};

test('a consumer that brings nothing although there is something is closed, and that is said', async () => {
  expect(await watch(2, { undelivered: 3 })).toEqual({ got: [0, 1], told: ['stuck'] });
});

test('a consumer that is gone is closed at once', async () => {
  const never = 1_000_000;
  expect(await watch(2, { undelivered: undefined, stuckMs: never })).toEqual({
    got: [0, 1],
    told: [],
  });
});

test('a message that comes through another connection is not handed on', async () => {
  let asked = 0;
  const session = () => (asked++ < 2 ? 'one' : 'two');
  expect(await watch(3, { undelivered: 0, session })).toEqual({ got: [0], told: [] });
});
