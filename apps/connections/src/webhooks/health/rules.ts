import type { WebhookSubscription } from '@manifold/pipedrive';
import type { Pace } from '../rules.ts';
import type { WebhookHealth } from '../tables.ts';

/** How long Pipedrive sends nothing after ten deliveries in a row failed at the first try. */
export const BAN_MS = 30 * 60_000;
/** Deliveries made with the secret before this one may be on their way for so long. */
export const OLD_SECRET_MS = 15 * 60_000;
const SOON_MS = 5 * 60_000;
/** Where Pipedrive does not let us subscribe, somebody has to act first. */
const LATER_MS = 4 * 3_600_000;

export type HealthState = WebhookHealth['state'];

/** What Pipedrive's own account of our subscription means. */
export function decideHealth(current: WebhookSubscription | undefined): HealthState {
  if (current === undefined) return 'MISSING';
  if (current.removeTime !== null) return 'REMOVED';
  if (!current.active) return 'BANNED';
  const { lastHttpStatus: status } = current;
  return status !== null && (status < 200 || status > 299) ? 'FAILING' : 'HEALTHY';
}

/** A subscription that sends nothing is made anew, which lifts a ban. */
export const needsRepair = (state: HealthState): boolean =>
  state === 'BANNED' || state === 'REMOVED' || state === 'MISSING';

/** Whether something may have been lost since it was looked at last. */
export const mayHaveLost = (state: HealthState): boolean =>
  state === 'FAILING' || needsRepair(state);

/** Whether a failure is another than the one seen at the look before: on a quiet account it stays on show. */
export const isNews = (
  state: HealthState,
  current: { lastDeliveryAt: Date | undefined },
  seen: Pick<WebhookHealth, 'state' | 'last_delivery_at'>,
): boolean =>
  state !== 'FAILING' ||
  seen.state !== 'FAILING' ||
  current.lastDeliveryAt?.getTime() !== seen.last_delivery_at?.getTime();

export function nextCheck(now: Date, { pace, everyMs }: { pace: Pace; everyMs: number }): Date {
  const waits = {
    normal: everyMs,
    soon: Math.min(SOON_MS, everyMs),
    later: Math.max(LATER_MS, everyMs),
  };
  return new Date(now.getTime() + waits[pace]);
}
