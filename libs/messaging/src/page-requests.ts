import type { PageRequestDefinition } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { tooLarge } from './publish.ts';
import type { Responder } from './requests.ts';
import { parseQuestion, RefusalWire, refusalOf, reply, unanswered } from './wire.ts';

/** Pairs a page request with its answer; items go out in replies of at most 256 KB, then the end mark. */
export function respondWithPages<
  Question extends z.ZodType,
  Item extends z.ZodType,
  End extends z.ZodType,
>(
  definition: PageRequestDefinition<Question, Item, End>,
  answer: (
    question: z.output<Question>,
  ) => Promise<{ items: readonly z.input<Item>[]; end: z.input<End> }>,
): Responder {
  return {
    subject: definition.subject,
    answer: async (message) => {
      const { items, end } = await answer(parseQuestion(definition.question, message));
      let sequence = 0;
      for (const chunk of chunksOf(items, definition.subject)) {
        message.respond(`{"sequence":${sequence},"items":[${chunk.join(',')}]}`);
        sequence += 1;
      }
      reply(message, { ok: { sequence, end } });
    },
  };
}

const CHUNK_BYTES = 256 * 1024 - 64;

function* chunksOf(items: readonly unknown[], subject: string): Generator<string[]> {
  let chunk: string[] = [];
  let size = 0;
  for (const item of items) {
    const text = JSON.stringify(item);
    const bytes = Buffer.byteLength(text) + 1;
    if (bytes > CHUNK_BYTES) throw tooLarge(subject);
    if (size + bytes > CHUNK_BYTES && chunk.length > 0) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(text);
    size += bytes;
  }
  if (chunk.length > 0) yield chunk;
}

/** Asks for a page and gathers its replies; a gap in the sequence is refused so that it is asked again. */
export async function askForPage<
  Question extends z.ZodType,
  Item extends z.ZodType,
  End extends z.ZodType,
>(
  nats: NatsConnection,
  definition: PageRequestDefinition<Question, Item, End>,
  question: z.input<Question>,
  options: { timeoutMs?: number } = {},
): Promise<{ items: z.output<Item>[]; end: z.output<End> }> {
  const items: z.output<Item>[] = [];
  let expected = 0;
  try {
    const replies = await nats.requestMany(definition.subject, JSON.stringify(question), {
      strategy: 'timer', // ended early by the end mark; without the mux, leaving the loop unsubscribes
      noMux: true,
      maxWait: options.timeoutMs ?? 30_000,
    });
    for await (const message of replies) {
      const part = PagePart.parse(message.json());
      if ('no' in part) throw refusalOf(part.no);
      if ('ok' in part) {
        if (part.ok.sequence !== expected) break;
        return { items, end: definition.end.parse(part.ok.end) };
      }
      if (part.sequence !== expected) break;
      expected += 1;
      for (const item of part.items) items.push(definition.item.parse(item));
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw unanswered(definition.subject, error);
  }
  throw new Refusal('unavailable', 'A page arrived incomplete', {
    reason: 'service_unavailable',
    fix: 'Ask for the page again.',
  });
}

const PagePart = z.union([
  z.object({ no: RefusalWire }),
  z.object({ ok: z.object({ sequence: z.int(), end: z.unknown() }) }),
  z.object({ sequence: z.int(), items: z.array(z.unknown()) }),
]);
