/** Every replica hears of a new key within this time. */
const KNOWN_EVERYWHERE_MS = 30_000;

/** When a key made at a time begins to seal; with -2, the latest one that surely everybody seals with. */
export const activeFrom = (now: Date, rounds = 1): Date =>
  new Date(now.getTime() + rounds * KNOWN_EVERYWHERE_MS);

const TRY_AGAIN_MS = 10 * 60_000;

/** Texts that did not open are tried again when the last try was before. */
export const triedBefore = (now: Date): Date => new Date(now.getTime() - TRY_AGAIN_MS);
