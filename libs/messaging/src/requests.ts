import type { PageRequestDefinition, RequestDefinition } from '@manifold/contracts';
import { fromWire, Refusal, type RefusalOnWire, toWire } from '@manifold/errors';
import { type Msg, type NatsConnection, RequestError } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { z } from 'zod';

/** Answers one kind of request. */
export interface Responder {
  readonly subject: string;
  answer(message: Msg): Promise<void>;
}

type Wire = { ok: unknown } | { no: RefusalOnWire };

/** Pairs a request with its answer; a thrown `Refusal` travels to the asker as one. */
export function respondTo<Question extends z.ZodType, Answer extends z.ZodType>(
  definition: RequestDefinition<Question, Answer>,
  answer: (question: z.output<Question>) => Promise<z.input<Answer>>,
): Responder {
  return {
    subject: definition.subject,
    answer: async (message) => {
      const question = parseQuestion(definition.question, message);
      reply(message, { ok: definition.answer.parse(await answer(question)) });
    },
  };
}

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
      for (const chunk of chunksOf(items)) {
        message.respond(`{"sequence":${sequence},"items":[${chunk.join(',')}]}`);
        sequence += 1;
      }
      reply(message, { ok: { sequence, end } });
    },
  };
}

const CHUNK_BYTES = 256 * 1024 - 64;

function* chunksOf(items: readonly unknown[]): Generator<string[]> {
  let chunk: string[] = [];
  let size = 0;
  for (const item of items) {
    const text = JSON.stringify(item);
    const bytes = Buffer.byteLength(text) + 1;
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

function parseQuestion<Question extends z.ZodType>(
  question: Question,
  message: Msg,
): z.output<Question> {
  const parsed = question.safeParse(readJson(message));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Refusal('invalid', issue?.message ?? 'unreadable', {
    reason: 'invalid_input',
    ...(issue ? { field: issue.path.join('.') } : {}),
  });
}

function readJson(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}

const reply = (message: Msg, wire: Wire) => void message.respond(JSON.stringify(wire));

/** Serves requests, shared among replicas; the returned function stops after those in hand. */
export function serveRequests(options: {
  nats: NatsConnection;
  service: string;
  responders: readonly Responder[];
  log: Logger;
}): () => Promise<void> {
  const { nats, service, responders, log } = options;
  const inHand = new Set<Promise<void>>();
  const subscriptions = responders.map((responder) =>
    nats.subscribe(responder.subject, {
      queue: service,
      callback: (error, message) => {
        if (error) return log.error({ err: error }, 'subscription failed');
        const work = answerOne(responder, message, log).finally(() => inHand.delete(work));
        inHand.add(work);
      },
    }),
  );
  return async () => {
    // a closed connection has nothing left to drain
    await Promise.all(
      subscriptions.map((subscription) => subscription.drain().catch(() => undefined)),
    );
    await Promise.all(inHand);
  };
}

async function answerOne(responder: Responder, message: Msg, log: Logger): Promise<void> {
  try {
    await responder.answer(message);
  } catch (error) {
    if (error instanceof Refusal) return reply(message, { no: toWire(error) });
    log.error({ err: error, subject: responder.subject }, 'request failed');
    reply(message, {
      no: { kind: 'unavailable', message: 'The service failed', reason: 'handler_failed' },
    });
  }
}

const RefusalWire = z.object({
  kind: z.enum([
    'invalid',
    'unauthenticated',
    'forbidden',
    'not_found',
    'conflict',
    'precondition',
    'limited',
    'unavailable',
  ]),
  message: z.string(),
  reason: z.string(),
  field: z.string().optional(),
  fix: z.string().optional(),
});

/** The refusal as this process's error; zod's optional allows undefined, the wire type does not. */
const refusalOf = (wire: unknown): Refusal => fromWire(RefusalWire.parse(wire) as RefusalOnWire);

/** Asks another service. Throws its `Refusal`, or `unavailable` when nobody answers in time. */
export async function ask<Question extends z.ZodType, Answer extends z.ZodType>(
  nats: NatsConnection,
  definition: RequestDefinition<Question, Answer>,
  question: z.input<Question>,
  options: { timeoutMs?: number } = {},
): Promise<z.output<Answer>> {
  const wire = await askRaw(nats, definition.subject, JSON.stringify(question), options.timeoutMs);
  return definition.answer.parse(wire);
}

/** As `ask`, for a question already serialised; returns the unparsed answer. */
export async function askRaw(
  nats: NatsConnection,
  subject: string,
  body: string,
  timeoutMs = 5_000,
): Promise<unknown> {
  let message: Msg;
  try {
    message = await nats.request(subject, body, { timeout: timeoutMs });
  } catch (error) {
    throw unanswered(subject, error);
  }
  const wire = z
    .union([z.object({ ok: z.unknown() }), z.object({ no: RefusalWire })])
    .parse(message.json());
  if ('no' in wire) throw refusalOf(wire.no);
  return wire.ok;
}

function unanswered(subject: string, cause: unknown): Refusal {
  const service = subject.split('.')[1] ?? 'service';
  const absent = cause instanceof RequestError && cause.isNoResponders();
  return new Refusal(
    'unavailable',
    absent
      ? `The ${service} service is not running`
      : `The ${service} service did not answer in time`,
    { reason: 'service_unavailable', fix: 'Try again in a moment.' },
    { cause },
  );
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
