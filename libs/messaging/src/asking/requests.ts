import type { RequestDefinition } from '@manifold/contracts';
import { Refusal, toWire } from '@manifold/errors';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { z } from 'zod';
import { askUntilAnswered, giveSigns } from './asking.ts';
import { tellBroker } from '../consuming/incoming.ts';
import { createSlots } from '../consuming/slots.ts';
import { parseQuestion, RefusalWire, refusalOf, reply } from './wire.ts';

const AT_ONCE = 64;
/** Signs come every quarter of a second. */
const SILENT_MS = 750;
/** Beyond this, who asks is told at once; he would have given up before his turn. */
const MAX_WAITING = 1_000;

/** Answers one kind of request. */
export interface Responder {
  readonly subject: string;
  answer(message: Msg): Promise<void>;
}

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

/** Serves requests, shared among replicas, 64 at once; the returned function stops after those in hand. */
export function serveRequests(options: {
  nats: NatsConnection;
  service: string;
  responders: readonly Responder[];
  log: Logger;
}): () => Promise<void> {
  const { nats, service, responders, log } = options;
  const inHand = new Set<Promise<void>>();
  const slots = createSlots({ total: AT_ONCE, each: AT_ONCE });
  const subscriptions = responders.map((responder) =>
    nats.subscribe(responder.subject, {
      queue: service,
      callback: (error, message) => {
        if (error) return log.error({ err: error }, 'subscription failed');
        if (slots.countWaiting() >= MAX_WAITING) return tellBroker(() => tellBusy(message, log));
        const stopSigns = giveSigns(message);
        const work = slots
          .run(service, () => answerOne(responder, message, log))
          // no answer can be given on a closed connection; the asker runs into its time limit
          .catch((failure: unknown) => log.warn({ err: failure }, 'request not answered'))
          .finally(() => {
            stopSigns();
            inHand.delete(work);
          });
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

function tellBusy(message: Msg, log: Logger): void {
  log.warn('request refused, too many wait');
  const busy = { kind: 'unavailable', message: 'The service is busy' } as const;
  reply(message, { no: { ...busy, reason: 'service_unavailable' } });
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

/**
 * Asks another service; when the replica that had the question is gone, within a second another one.
 * Throws its `Refusal`, or `unavailable` when nobody answers in time.
 */
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
  const asking = { subject, body, timeoutMs, silentMs: SILENT_MS };
  const message = await askUntilAnswered<Msg>(nats, asking, () => (answer) => ({ answer }));
  const wire = z
    .union([z.object({ ok: z.unknown() }), z.object({ no: RefusalWire })])
    .parse(message.json());
  if ('no' in wire) throw refusalOf(wire.no);
  return wire.ok;
}
