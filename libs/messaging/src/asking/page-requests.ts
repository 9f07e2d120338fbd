import type { PageRequestDefinition } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { askUntilAnswered } from './asking.ts';
import { tooLarge } from '../publishing/publish.ts';
import type { Responder } from './requests.ts';
import { parseQuestion, RefusalWire, refusalOf, reply } from './wire.ts';

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

/** More patient than `ask`: a page that is read twice is paid for twice. */
const SILENT_MS = 2_000;
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
  const asking = {
    subject: definition.subject,
    body: JSON.stringify(question),
    timeoutMs: options.timeoutMs ?? 30_000,
    silentMs: SILENT_MS,
  };
  return askUntilAnswered(nats, asking, () => {
    const items: z.output<Item>[] = [];
    let expected = 0;
    return (message) => {
      const part = PagePart.parse(message.json());
      if ('no' in part) throw refusalOf(part.no);
      const { sequence } = 'ok' in part ? part.ok : part;
      if (sequence !== expected) throw incomplete();
      if ('ok' in part) return { answer: { items, end: definition.end.parse(part.ok.end) } };
      expected += 1;
      for (const item of part.items) items.push(definition.item.parse(item));
      return undefined;
    };
  });
}

const incomplete = (): Refusal =>
  new Refusal('unavailable', 'A page arrived incomplete', {
    reason: 'service_unavailable',
    fix: 'Ask for the page again.',
  });

const PagePart = z.union([
  z.object({ no: RefusalWire }),
  z.object({ ok: z.object({ sequence: z.int(), end: z.unknown() }) }),
  z.object({ sequence: z.int(), items: z.array(z.unknown()) }),
]);
