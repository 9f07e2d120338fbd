export const WINDOW_MS = 2_000;
/** Narrow: what a slot and the way take on top of two seconds is lost to every window. */
export const SLOT_MS = 20;
/** How much longer the way of one call to Pipedrive may be than that of another. */
const WAY_MS = 40;
/** Slots a call counts in: those of the window, its own, and some for the way. */
const SLOTS = WINDOW_MS / SLOT_MS + 1 + WAY_MS / SLOT_MS;

/** Calls per slot; only slots of the last window count. */
export type Slots = readonly (readonly [slot: number, calls: number])[];

/** How many of the calls in a window may fall into a short stretch of it. */
export interface Pace {
  calls: number;
}
const PACE_SLOTS = 200 / SLOT_MS;

export type Entered = { slots: Slots } | { until: Date };

const slotOf = (now: Date): number => Math.floor(now.getTime() / SLOT_MS);
const timeOf = (slot: number): Date => new Date(slot * SLOT_MS);
const countOf = (slots: Slots): number => slots.reduce((sum, [, calls]) => sum + calls, 0);
const recentOf = (slots: Slots, current: number): Slots =>
  slots.filter(([slot]) => slot > current - SLOTS);

/** Takes a place in a window, or says when to ask again. */
export function enter(
  slots: Slots,
  { limit, pace, now }: { limit: number; pace?: Pace | undefined; now: Date },
): Entered {
  const current = slotOf(now);
  const recent = recentOf(slots, current);
  const used = countOf(recent);
  if (used >= limit) return { until: timeOf(firstRoom(recent, used - limit) + SLOTS) };
  const latest = recent.filter(([slot]) => slot > current - PACE_SLOTS);
  if (pace !== undefined && countOf(latest) >= pace.calls) {
    const over = countOf(latest) - pace.calls;
    return { until: timeOf(firstRoom(latest, over) + PACE_SLOTS) };
  }
  return { slots: add(recent, current, 1) };
}

/** Calls more than these in front, in the order of their slots. */
function firstRoom(slots: Slots, over: number): number {
  let left = 0;
  for (const [slot, calls] of slots) {
    left += calls;
    if (left > over) return slot;
  }
  return slots.at(-1)?.[0] ?? 0;
}

function add(slots: Slots, slot: number, calls: number): Slots {
  const known = slots.find(([number]) => number === slot);
  const others = slots.filter(([number]) => number !== slot);
  return [...others, [slot, (known?.[1] ?? 0) + calls] as const].toSorted(([a], [b]) => a - b);
}

/** A call left later than it was given its place: Pipedrive counts it from then on. */
export function move(slots: Slots, { from, to }: { from: Date; to: Date }): Slots {
  const [slot, later] = [slotOf(from), slotOf(to)];
  if (later <= slot || !slots.some(([number]) => number === slot)) return slots;
  const left = add(slots, slot, -1).filter(([, calls]) => calls > 0);
  return add(left, later, 1);
}

/** Calls in the window that ends now. */
export const usedOf = (slots: Slots, now: Date): number => countOf(recentOf(slots, slotOf(now)));

/** When the next place of a window becomes free; null when one is. */
export function freeAt(slots: Slots, limit: number, now: Date): Date | null {
  const entered = enter(slots, { limit, now });
  return 'until' in entered ? entered.until : null;
}

/** Part of a window that Pipedrive and we may count differently, because calls are under way. */
const TOLERANCE = 0.1;

/**
 * Adds the calls that others made with the credential, as far as an answer tells. They leave the
 * window when Pipedrive says that it empties, or else with the average call.
 */
export function learnOthers(
  slots: Slots,
  heard: { limit: number; remaining: number; freeInMs: number | undefined },
  now: Date,
): Slots {
  const missing = heard.limit - heard.remaining - usedOf(slots, now);
  const isTold = heard.freeInMs !== undefined;
  if (missing <= (isTold ? 0 : heard.limit * TOLERANCE)) return slots;
  const freeInMs = Math.min(WINDOW_MS, heard.freeInMs ?? WINDOW_MS / 2);
  const slot = slotOf(now) - SLOTS + Math.max(1, Math.ceil(freeInMs / SLOT_MS));
  return add(recentOf(slots, slotOf(now)), slot, missing);
}
