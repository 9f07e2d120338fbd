import type { Clock } from './clock/clock.ts';
import type { Faults } from './faults/faults.ts';
import type { FieldCatalogue } from './fields/catalogue.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Limiter } from './limits/limiter.ts';
import type { Refreshes } from './oauth/refreshes.ts';
import type { Database } from './store/database.ts';
import type { Company } from './users/users.ts';
import type { Outbox } from './webhooks/outbox.ts';

/** Everything one running sandbox consists of; handlers get it as an argument. */
export interface World {
  db: Database;
  company: Company;
  fields: FieldCatalogue;
  limiter: Limiter;
  faults: Faults;
  refreshes: Refreshes;
  ledger: Ledger;
  outbox: Outbox;
  /** What time it is by `clock`. */
  now: () => Date;
  clock: Clock;
  /** Milliseconds until a write is found by search. */
  searchLagMs: number;
  /** The sandbox's own origin, known once it listens. */
  url: () => string;
}
