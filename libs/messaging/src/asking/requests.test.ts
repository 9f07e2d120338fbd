import { definePageRequest, defineRequest } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { captureLog, startTestNats } from '@manifold/testing';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { askForPage, respondWithPages } from './page-requests.ts';
import { ask, type Responder, respondTo, serveRequests } from './requests.ts';

const { nats, stop } = await startTestNats();
const { log, lines } = captureLog();
const Double = defineRequest(
  'request.connections.double.v1',
  z.object({ n: z.int() }),
  z.object({ twice: z.int() }),
);
const Read = definePageRequest('request.connections.read.v1', {
  question: z.object({ count: z.int(), bytes: z.int() }),
  item: z.object({ n: z.int(), text: z.string() }),
  end: z.object({ nextCursor: z.string().nullable() }),
});

let stopServing = async () => {};
const serve = async (...responders: Responder[]) => {
  stopServing = serveRequests({ nats, service: 'connections', responders, log });
  await nats.flush();
};
afterEach(async () => {
  await stopServing();
  stopServing = async () => {};
});
afterAll(stop);

describe('a question', () => {
  test('is answered', async () => {
    await serve(respondTo(Double, async ({ n }) => ({ twice: 2 * n })));
    expect(await ask(nats, Double, { n: 4 })).toEqual({ twice: 8 });
  });

  test('of the wrong shape is refused with the field, not with its value', async () => {
    await serve(respondTo(Double, async ({ n }) => ({ twice: 2 * n })));
    const wrong = ask(nats, Double, { n: 1.5 });

    await expect(wrong).rejects.toMatchObject({
      kind: 'invalid',
      detail: { reason: 'invalid_input', field: 'n' },
    });
  });

  test('a refusal arrives whole on the asker’s side', async () => {
    const detail = { reason: 'record_not_found', field: 'n', fix: 'Ask for another.' };
    await serve(
      respondTo(Double, async () => {
        throw new Refusal('not_found', 'There is no 7', detail);
      }),
    );

    const refusal = await ask(nats, Double, { n: 7 }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({ kind: 'not_found', message: 'There is no 7', detail });
  });

  test('a bug of the answerer is told as unavailable and logged there, without its text', async () => {
    await serve(
      respondTo(Double, async () => {
        throw new Error('password is swordfish');
      }),
    );

    const refusal = await ask(nats, Double, { n: 7 }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ kind: 'unavailable', detail: { reason: 'handler_failed' } });
    expect(String(refusal)).not.toContain('swordfish');
    expect(lines.join('\n')).toContain('request failed');
  });

  const unavailable = {
    kind: 'unavailable',
    message: expect.stringContaining('connections'),
    detail: { reason: 'service_unavailable' },
  };

  test('is unavailable when nobody is there, and says which service', async () => {
    await expect(ask(nats, Double, { n: 1 })).rejects.toMatchObject(unavailable);
  });

  test('is unavailable when nobody answers in time, and says which service', async () => {
    const silent = nats.subscribe(Double.subject, { callback: () => undefined });
    await expect(ask(nats, Double, { n: 1 }, { timeoutMs: 50 })).rejects.toMatchObject(unavailable);
    silent.unsubscribe();
  });

  test('is answered by one of several replicas', async () => {
    let answered = 0;
    const responder = respondTo(Double, async ({ n }) => {
      answered += 1;
      return { twice: 2 * n };
    });
    await serve(responder, responder);

    await ask(nats, Double, { n: 1 });
    expect(answered).toBe(1);
  });
});

test('64 requests are answered at once, the others after them', async () => {
  let [inHand, most] = [0, 0];
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await serve(
    respondTo(Double, async ({ n }) => {
      most = Math.max(most, (inHand += 1));
      await released;
      inHand -= 1;
      return { twice: 2 * n };
    }),
  );
  const answers = Array.from({ length: 100 }, (_, n) => ask(nats, Double, { n }));
  await expect.poll(() => inHand).toBe(64);
  release();

  expect(await Promise.all(answers)).toHaveLength(100);
  expect(most).toBe(64);
});

describe('a page', () => {
  const responder = respondWithPages(Read, async ({ count, bytes }) => ({
    items: Array.from({ length: count }, (_, n) => ({ n, text: 'x'.repeat(bytes) })),
    end: { nextCursor: 'c2' },
  }));

  test.each([
    ['nothing', 0, 10],
    ['a few small items', 5, 10],
    ['more than fits into one reply', 100, 10_000],
    ['items of which each nearly fills a reply', 3, 250_000],
  ])('of %s arrives whole and in order', async (_, count, bytes) => {
    await serve(responder);
    const { items, end } = await askForPage(nats, Read, { count, bytes });

    expect(items.map(({ n }) => n)).toEqual(Array.from({ length: count }, (_value, n) => n));
    expect(end).toEqual({ nextCursor: 'c2' });
  });

  test('goes out in replies of at most 256 KB', async () => {
    await serve(responder);
    const sizes: number[] = [];
    const inbox = nats.subscribe('spy', {
      callback: (_, { data }) => void sizes.push(data.length),
    });
    nats.publish(Read.subject, JSON.stringify({ count: 100, bytes: 10_000 }), { reply: 'spy' });
    await expect.poll(() => sizes.length).toBeGreaterThanOrEqual(5);
    inbox.unsubscribe();

    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024);
  });

  test('with an item that fits into no reply is refused by the name of the request', async () => {
    await serve(responder);
    await expect(askForPage(nats, Read, { count: 1, bytes: 300_000 })).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(Read.subject),
    });
  });

  test('with a gap is refused, so that it is asked for again', async () => {
    await serve({
      subject: Read.subject,
      answer: async (message) => {
        message.respond('{"sequence":0,"items":[]}');
        message.respond('{"sequence":2,"items":[]}');
      },
    });

    await expect(askForPage(nats, Read, { count: 1, bytes: 1 })).rejects.toMatchObject({
      kind: 'unavailable',
      detail: { fix: 'Ask for the page again.' },
    });
  });

  test('that is refused arrives as the refusal', async () => {
    await serve(
      respondWithPages(Read, async () => {
        throw new Refusal('precondition', 'disabled', { reason: 'connection_disabled' });
      }),
    );

    await expect(askForPage(nats, Read, { count: 1, bytes: 1 })).rejects.toMatchObject({
      kind: 'precondition',
      detail: { reason: 'connection_disabled' },
    });
  });
});
