import type { Operation } from '../operations.ts';
import type { Database } from '../store/database.ts';
import { dayOf } from '../times.ts';

/** One request the sandbox has answered. */
export interface LedgerEntry {
  at: string;
  method: string;
  path: string;
  operationId: string | null;
  /** API tokens charged: 0 when the request was refused before it reached its operation. */
  price: number;
  /** null when the connection was cut without an answer. */
  status: number | null;
  credential: 'api_token' | 'oauth' | 'none';
}

export interface Spending {
  operation: string;
  requests: number;
  tokens: number;
}

export interface Ledger {
  enter(entry: LedgerEntry): void;
  /** Adds the price of an admitted request to the day. */
  charge(operation: Operation): void;
  tokensToday(): number;
  spendingToday(): { day: string; tokens: number; operations: Spending[] };
  /** The newest requests first. */
  requests(limit: number): LedgerEntry[];
  clear(): void;
}

const KEPT_REQUESTS = 5_000;
const KEPT_DAYS = 30;

/** Requests are kept in memory, bounded; the totals of a day survive a restart. */
export function createLedger(db: Database, now: () => Date): Ledger {
  let entries: LedgerEntry[] = [];
  let total = { day: '', tokens: 0 };

  function today(): { day: string; tokens: number } {
    const day = dayOf(now());
    if (total.day === day) return total;
    const oldest = dayOf(new Date(now().getTime() - KEPT_DAYS * 86_400_000));
    db.run('delete from spend where day < ?', oldest);
    const sql = 'select coalesce(sum(tokens), 0) as tokens from spend where day = ?';
    total = { day, tokens: db.find<{ tokens: number }>(sql, day)?.tokens ?? 0 };
    return total;
  }

  return {
    enter(entry) {
      entries.push(entry);
      if (entries.length > KEPT_REQUESTS * 2) entries = entries.slice(-KEPT_REQUESTS);
    },
    charge({ version, id, price }) {
      const current = today();
      current.tokens += price;
      db.run(
        `insert into spend (day, operation, requests, tokens) values (?, ?, 1, ?)
         on conflict (day, operation) do update
         set requests = requests + 1, tokens = tokens + excluded.tokens`,
        current.day,
        `${version} ${id}`,
        price,
      );
    },
    tokensToday: () => today().tokens,
    spendingToday() {
      const { day, tokens } = today();
      const sql =
        'select operation, requests, tokens from spend where day = ? order by tokens desc, operation';
      return { day, tokens, operations: db.list(sql, day) };
    },
    requests: (limit) => entries.slice(-limit).reverse(),
    clear() {
      entries = [];
      total = { day: '', tokens: 0 };
      db.run('delete from spend');
    },
  };
}
