import type { Twin } from './twin.ts';

/** What reaches a subscription from outside. */
export type News =
  | { news: 'event'; payload: unknown }
  /** The broker is gone: events pass unheard. */
  | { news: 'lost' }
  | { news: 'restored' };

/** What a subscription does next. */
export type Step =
  | { step: 'ask'; followed?: string | null }
  /** Some of what happened is not known. */
  | { step: 'tell'; what: 'lost' | 'overrun' };

/** Things named by events that wait to be asked about; of more than this the client is told to read the list. */
const MOST_WAITING = 100;

/** What is to be asked: news of one thing are one question, however many there were. */
export function createAgenda({ declaration, followed }: Pick<Twin, 'declaration' | 'followed'>) {
  const namesThings = followed === null;
  let isDue = !namesThings;
  let trouble: 'lost' | 'overrun' | undefined;
  const waiting = new Set<string>();
  const noteEvent = (payload: unknown) => {
    const named = namedIn(payload, declaration.key);
    if (!namesThings) {
      isDue ||= followed === undefined || named.length === 0 || named.includes(followed);
      return;
    }
    for (const id of named) waiting.add(id);
    if (waiting.size <= MOST_WAITING) return;
    waiting.clear();
    trouble ??= 'overrun';
  };
  return {
    note: (news: News): void => {
      if (news.news === 'event') noteEvent(news.payload);
      if (news.news === 'lost') trouble = 'lost';
      // whatever happened meanwhile is in the next answer
      if (news.news === 'restored') isDue = !namesThings;
    },
    /** Asks once more, because a step, or looking whether the caller still may, came to nothing. */
    repeat: (step: Step | undefined): void => {
      if (step?.step === 'tell') return;
      if (!namesThings) isDue = true;
      else if (typeof step?.followed === 'string') waiting.add(step.followed);
    },
    next: (): Step | undefined => {
      if (trouble !== undefined) {
        const what = trouble;
        trouble = undefined;
        return { step: 'tell', what };
      }
      if (isDue) {
        isDue = false;
        return followed === undefined ? { step: 'ask' } : { step: 'ask', followed };
      }
      const [id] = waiting;
      if (id === undefined) return undefined;
      waiting.delete(id);
      return { step: 'ask', followed: id };
    },
  };
}

/** Ids that stand under the key, one or several; none when the event does not say. */
function namedIn(payload: unknown, key: string | undefined): string[] {
  if (key === undefined || typeof payload !== 'object' || payload === null) return [];
  const value: unknown = Object.entries(payload).find(([name]) => name === key)?.[1];
  return [value].flat().filter((id) => typeof id === 'string');
}
