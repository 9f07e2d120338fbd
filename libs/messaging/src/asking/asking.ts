import { Refusal } from '@manifold/errors';
import {
  headers,
  type Msg,
  type NatsConnection,
  type QueuedIterator,
} from '@nats-io/transport-node';
import { tellBroker } from '../consuming/incoming.ts';
import { unanswered } from './wire.ts';

/** How often a replica with a question in hand says so, by an empty reply. */
const SIGN_MS = 250;
/** A service too busy for a sign is not asked more and more. */
const TRIES = 3;
/** Header of a question whose asker tells signs from answers. */
const WANTS_SIGNS = 'Manifold-Signs';

export interface Asking {
  subject: string;
  body: string;
  timeoutMs: number;
  /** Who says nothing for so long is gone, or as good as. */
  silentMs: number;
}

/** Makes something of the replies to one try; `undefined` until the answer is complete. */
type Reader<Answer> = (reply: Msg) => { answer: Answer } | undefined;

/**
 * Asks, and asks again when the replica that has the question falls silent, as one that was killed
 * does: the broker then hands it to another. Each try has a reader of its own. What is asked must be
 * safe to ask twice: one that only stalled may be at it still.
 */
export async function askUntilAnswered<Answer>(
  nats: NatsConnection,
  { subject, body, timeoutMs, silentMs }: Asking,
  openReader: () => Reader<Answer>,
): Promise<Answer> {
  const deadline = performance.now() + timeoutMs;
  try {
    for (let tried = 1; tried <= TRIES; tried += 1) {
      const leftMs = Math.ceil(deadline - performance.now());
      if (leftMs <= 0) break;
      const replies = await send(nats, { subject, body, timeoutMs: leftMs });
      const read = await readUntilSilent(replies, openReader(), tried < TRIES ? silentMs : leftMs);
      if (read) return read.answer;
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw unanswered(subject, error);
  }
  throw unanswered(subject, undefined);
}

async function send(
  nats: NatsConnection,
  { subject, body, timeoutMs }: Omit<Asking, 'silentMs'>,
): Promise<QueuedIterator<Msg>> {
  const wantsSigns = headers();
  wantsSigns.set(WANTS_SIGNS, '1');
  const replies = await nats.requestMany(subject, body, {
    strategy: 'timer', // ended early by who reads
    maxWait: timeoutMs,
    headers: wantsSigns,
  });
  // it is one, which its type does not say
  return replies as QueuedIterator<Msg>;
}

async function readUntilSilent<Answer>(
  replies: QueuedIterator<Msg>,
  reader: Reader<Answer>,
  silentMs: number,
): Promise<{ answer: Answer } | undefined> {
  let heard = 0;
  const silence = setTimeout(() => {
    const before = heard;
    // after a stall of our own what came meanwhile is read first
    setImmediate(() => {
      if (heard === before) replies.stop();
    });
  }, silentMs);
  try {
    for await (const reply of replies) {
      heard += 1;
      silence.refresh();
      const read = reply.data.length === 0 ? undefined : reader(reply);
      if (read) return read;
    }
    return undefined;
  } finally {
    clearTimeout(silence);
  }
}

/** Gives signs of a question in hand to who wants them, until the returned function is called. */
export function giveSigns(question: Msg): () => void {
  if (question.headers?.has(WANTS_SIGNS) !== true) return () => undefined;
  const timer = setInterval(() => tellBroker(() => void question.respond()), SIGN_MS);
  return () => clearInterval(timer);
}
