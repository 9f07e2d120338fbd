/**
 * A call that was noted is made within this time, or noted anew: others judge by the note what may
 * still be under way.
 */
export const SEND_WITHIN_MS = 10_000;

/** Whether a call noted then would reach Pipedrive later than others reckon with. */
export const isTooLate = (notedAt: Date | null, now: Date): boolean =>
  notedAt !== null && now.getTime() - notedAt.getTime() > SEND_WITHIN_MS;

/** Clocks differ, and a call takes a moment to reach Pipedrive. */
const MARGIN_MS = 5_000;

/** The settle time that outlasts every call: the last begins late, and with a new token once more. */
export const leastSettleMs = (call: { timeoutMs: number; againWithinMs: number }): number =>
  SEND_WITHIN_MS + call.againWithinMs + call.timeoutMs + MARGIN_MS;
