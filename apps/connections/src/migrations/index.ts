import type { Migration } from 'kysely/migration';
import * as messaging from './0001-messaging.ts';
import * as accounts from './0002-accounts.ts';
import * as webhooks from './0003-webhooks.ts';
import * as budget from './0011-budget.ts';
import * as links from './0012-links.ts';
import * as writes from './0013-writes.ts';
import * as connectionId from './0014-connection-id.ts';

/** In the order they run; a migration that was released is never changed. */
export const migrations: Record<string, Migration> = {
  '0001-messaging': messaging,
  '0002-accounts': accounts,
  '0003-webhooks': webhooks,
  '0011-budget': budget,
  '0012-links': links,
  '0013-writes': writes,
  '0014-connection-id': connectionId,
};
