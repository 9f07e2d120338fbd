/** Tokens of calls under way, by the ten seconds in which they were admitted. */
export type Reservations = readonly (readonly [span: number, tokens: number])[];

const SPAN_MS = 10_000;
/** Longer than any call and its entry in the ledger take. */
const LIFE_SPANS = 9;

const spanOf = (at: Date): number => Math.floor(at.getTime() / SPAN_MS);

export const sumOf = (reservations: Reservations): number =>
  reservations.reduce((sum, [, tokens]) => sum + tokens, 0);

export function reserve(reservations: Reservations, tokens: number, now: Date): Reservations {
  return change(reservations, spanOf(now), tokens);
}

/** Gives back what was reserved for a call that has ended. */
export function release(
  reservations: Reservations,
  tokens: number,
  admittedAt: Date,
): Reservations {
  return change(reservations, spanOf(admittedAt), -tokens);
}

function change(reservations: Reservations, span: number, by: number): Reservations {
  const known = reservations.find(([number]) => number === span)?.[1] ?? 0;
  const others = reservations.filter(([number]) => number !== span);
  return known + by <= 0 ? others : [...others, [span, known + by]];
}

/**
 * Splits off the tokens of calls whose end nobody told: their process is gone, so they may have been
 * spent and count as that.
 */
export function expire(
  reservations: Reservations,
  now: Date,
): { kept: Reservations; lostTokens: number } {
  const oldest = spanOf(now) - LIFE_SPANS;
  const kept = reservations.filter(([span]) => span >= oldest);
  return { kept, lostTokens: sumOf(reservations) - sumOf(kept) };
}
