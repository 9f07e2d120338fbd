/** What was last told of a set: when, and how many of its changes had not come to rest. */
export interface Told {
  at: number;
  left: number | undefined;
}

/** Whoever looks at a set sees it move once a second; more would only be noise. */
const TELL_EVERY_MS = 1_000;

/** Whether it was not told just now. */
export const mayBeTold = (told: Told | undefined, at: number): boolean =>
  told === undefined || at - told.at >= TELL_EVERY_MS;

/** Whether there is something new; without a number every stretch of work is. */
export const isProgress = (told: Told | undefined, left: number | undefined): boolean =>
  left === undefined || left !== told?.left;
