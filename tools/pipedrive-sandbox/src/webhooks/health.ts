import type { Database } from '../store/database.ts';

/** How a webhook fares. */
export interface Health {
  /** First attempts that failed since the last ban. */
  failures: number;
  bannedUntilMs: number | null;
  /** When the first attempt failed after the last success. */
  failingSinceMs: number | null;
}

/** One attempt as health sees it. */
export interface Outcome {
  attempt: number;
  delivered: boolean;
  nowMs: number;
}

const FAILURES_UNTIL_BAN = 10;
export const BAN_MS = 30 * 60_000;
const SILENCE_UNTIL_REMOVAL_MS = 3 * 86_400_000;

const HEALTHY: Health = { failures: 0, bannedUntilMs: null, failingSinceMs: null };

/** Ten failed first attempts are a ban of half an hour, and the count begins again. */
export function healthAfter(before: Health, { attempt, delivered, nowMs }: Outcome): Health {
  if (delivered) return { ...before, failingSinceMs: null };
  const failures = before.failures + (attempt === 1 ? 1 : 0);
  const failing = { ...before, failures, failingSinceMs: before.failingSinceMs ?? nowMs };
  return failures < FAILURES_UNTIL_BAN ? failing : banned(failing, nowMs);
}

export function banned(health: Health, nowMs: number): Health {
  return { ...health, failures: 0, bannedUntilMs: nowMs + BAN_MS };
}

export function isBanned({ bannedUntilMs }: Health, nowMs: number): boolean {
  return bannedUntilMs !== null && bannedUntilMs > nowMs;
}

/** Three days of attempts without a success. */
export function isGivenUp({ failingSinceMs }: Health, nowMs: number): boolean {
  return failingSinceMs !== null && nowMs - failingSinceMs >= SILENCE_UNTIL_REMOVAL_MS;
}

export function findHealth(db: Database, webhookId: number): Health {
  const row = db.find<{
    failures: number;
    banned_until_ms: number | null;
    failing_since_ms: number | null;
  }>(
    'select failures, banned_until_ms, failing_since_ms from webhook_health where webhook_id = ?',
    webhookId,
  );
  if (row === undefined) return HEALTHY;
  const { failures, banned_until_ms: bannedUntilMs, failing_since_ms: failingSinceMs } = row;
  return { failures, bannedUntilMs, failingSinceMs };
}

export function saveHealth(db: Database, webhookId: number, health: Health): void {
  db.run(
    `insert or replace into webhook_health (webhook_id, failures, banned_until_ms, failing_since_ms)
     values (?, ?, ?, ?)`,
    webhookId,
    health.failures,
    health.bannedUntilMs,
    health.failingSinceMs,
  );
}
