import type { IdempotencyTables } from '@manifold/database';
import type { MessagingTables } from '@manifold/messaging';
import type { Kysely, Transaction } from 'kysely';
import type { AccountTables } from './accounts/tables.ts';
import type { BudgetTables } from './budget/tables.ts';
import type { ChangeTables } from './changes/tables.ts';
import type { CompletenessTables } from './completeness/tables.ts';
import type { FieldTables } from './fields/tables.ts';
import type { LinkTables } from './links/tables.ts';
import type { OauthTables } from './oauth/tables.ts';
import type { RegistryTables } from './registry/tables.ts';
import type { VaultTables } from './vault/tables.ts';
import type { WebhookTables } from './webhooks/tables.ts';
import type { WriteTables } from './writes/tables.ts';

/**
 * Every table of this service. A noun's interfaces stand in its `tables.ts`, which imports nothing
 * of this file, so that its store can import `Db` from here.
 */
export type Tables = MessagingTables &
  IdempotencyTables &
  CompletenessTables &
  RegistryTables &
  OauthTables &
  VaultTables &
  AccountTables &
  FieldTables &
  WebhookTables &
  BudgetTables &
  LinkTables &
  WriteTables &
  ChangeTables;

/** A transaction is also a `Db`. */
export type Db = Kysely<Tables>;

/** What `withWorkspace` hands out; needed wherever an event is published. */
export type Tx = Transaction<Tables>;
