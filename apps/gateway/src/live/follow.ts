import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@manifold/errors';
import { createLatch } from '@manifold/messaging';
import { createAgenda, type News, type Step } from './agenda.ts';
import { refusedAnswer, type TwinAnswer } from './answers.ts';
import type { EventStream } from './stream.ts';
import type { Twin } from './twin.ts';

/** However much happens, so much of it is shown: the last state is always among it. */
const LEAST_MS = 250;
/** How often somebody to whom nothing happens is looked at: may he still? */
const CHECK_MS = 15_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;

export interface Following {
  twin: Twin;
  correlationId: string;
  stream: EventStream;
  /** Throws a refusal when the caller may not any more. */
  check: () => Promise<void>;
  ask: (step: Extract<Step, { step: 'ask' }>) => Promise<TwinAnswer>;
  /** Calls back until the returned function is called. */
  hear: (listener: (news: News | { news: 'caller' }) => void) => () => void;
  /** Resolves false when the broker does not answer. */
  heard: () => Promise<boolean>;
  /** Aborts when the client has gone, had its time, or the process ends. */
  over: AbortSignal;
}

/**
 * Answers, then answers again after each event, until it is over. One question at a time, and none
 * before the client has taken the last answer: a slow one is shown less, never what is old.
 */
export async function follow(following: Following): Promise<void> {
  const { twin, stream, over } = following;
  const agenda = createAgenda(twin);
  const latch = createLatch(CHECK_MS, over);
  const stopHearing = following.hear((news) => {
    if (news.news !== 'caller') agenda.note(news);
    latch.set();
  });
  try {
    if (!(await following.heard())) agenda.note({ news: 'lost' });
    stream.begin();
    await goOn(following, agenda, latch);
  } finally {
    stopHearing();
  }
  stream.leave();
}

async function goOn(
  following: Following,
  agenda: ReturnType<typeof createAgenda>,
  latch: ReturnType<typeof createLatch>,
): Promise<void> {
  const { twin, stream, over } = following;
  let shown: string | undefined;
  let retryMs = FIRST_RETRY_MS;
  while (!over.aborted) {
    const step = agenda.next();
    const answer = await take(following, step);
    // the client has room again, or has gone
    if (answer && !(await stream.hasRoom(over))) return;
    if (over.aborted) return;
    if (answer && isNews(answer, { shown, twin })) stream.next(answer.json);
    shown = answer?.json ?? shown;
    if (answer && endsWith(answer, twin)) return stream.complete();
    if (answer?.outcome === 'later') {
      agenda.repeat(step);
      await pause(retryMs, over);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    } else if (answer) {
      retryMs = FIRST_RETRY_MS;
      await pause(LEAST_MS, over);
    } else await latch.wait();
  }
}

/** The same again is no news; of several things two may look alike. */
const isNews = (
  { json, outcome }: TwinAnswer,
  { shown, twin }: { shown: string | undefined; twin: Twin },
): boolean => json !== shown || (twin.followed === null && outcome === 'shown');

/** Of one thing that is not there nothing more will come; of several the next event tells. */
const endsWith = ({ outcome }: TwinAnswer, { followed }: Twin): boolean =>
  outcome === 'refused' || (outcome === 'gone' && typeof followed === 'string');

/** The answer to a step; undefined when there is nothing to say. */
async function take(following: Following, step: Step | undefined): Promise<TwinAnswer | undefined> {
  const { correlationId } = following;
  try {
    await following.check();
    if (step === undefined) return undefined;
    if (step.step === 'tell') return refusedAnswer(troubles[step.what], correlationId);
    return await following.ask(step);
  } catch (error) {
    if (following.over.aborted) return undefined;
    if (error instanceof Refusal) return refusedAnswer(error, correlationId);
    throw error;
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<unknown> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

const troubles = {
  lost: new Refusal('unavailable', 'What happens now is not heard', {
    reason: 'service_unavailable',
    fix: 'Wait: it goes on by itself. What has no id named is to be read again then.',
  }),
  overrun: new Refusal('limited', 'More happened at once than can be told one by one', {
    reason: 'too_many_items',
    fix: 'Read the list again, or follow one thing by its id.',
  }),
};
