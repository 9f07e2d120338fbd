import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../json.ts';
import type { Database } from '../store/database.ts';
import { type Company, listUsers } from '../users/users.ts';
import type { HookEntity } from './shapes.ts';
import { isRemoved, listSubscriptions, type Subscription } from './subscriptions.ts';

/** Who changes something, and from where. */
export interface Author {
  userId: number;
  changeSource: 'app' | 'api';
}

/** A change that webhooks tell about. */
export interface Change extends Author {
  entity: HookEntity;
  action: 'create' | 'change' | 'delete';
  id: string;
  data: JsonObject | null;
  previous: JsonObject | null;
  /** Of a delete by merging: the record that lives on. */
  mergedToId?: string;
  /** Of a change by merging: the record that is gone. */
  mergedFromId?: string;
}

export interface Outbox {
  /** Writes one delivery per matching webhook into the running transaction. */
  announce(change: Change): void;
  /** Calls back after each commit that left deliveries. */
  onQueued(wake: () => void): void;
}

const KEPT_DELIVERIES = 2_000;

export function createOutbox(db: Database, company: Company, now: () => Date): Outbox {
  let wake = () => {};
  return {
    announce(change) {
      const matching = listSubscriptions(db).filter((hook) => matches(hook, change));
      if (matching.length === 0) return;
      const at = now();
      const shared = sharedMeta(db, company, change, at);
      for (const hook of matching) queue(db, hook, change, { shared, at });
      db.afterCommit(() => wake());
    },
    onQueued(callback) {
      wake = callback;
    },
  };
}

function matches(hook: Subscription, { action, entity }: Change): boolean {
  if (isRemoved(hook)) return false;
  const actionFits = hook.action === '*' || hook.action === action;
  return actionFits && (hook.object === '*' || hook.object === entity);
}

/** What is the same for every webhook that hears of one event; all ids are strings. */
function sharedMeta(db: Database, company: Company, change: Change, at: Date): JsonObject {
  return {
    action: change.action,
    entity: change.entity,
    entity_id: change.id,
    company_id: String(company.id),
    user_id: String(change.userId),
    id: randomUUID(),
    correlation_id: randomUUID(),
    timestamp: at.toISOString(),
    version: '2.0',
    change_source: change.changeSource,
    is_bulk_edit: false,
    host: `${company.domain}.pipedrive.com`,
    permitted_user_ids: listUsers(db).map((user) => String(user.id)),
    ...(change.mergedToId === undefined ? {} : { merged_to_id: change.mergedToId }),
    ...(change.mergedFromId === undefined ? {} : { merged_from_id: change.mergedFromId }),
  };
}

function queue(
  db: Database,
  hook: Subscription,
  change: Change,
  { shared, at }: { shared: JsonObject; at: Date },
): void {
  const meta = {
    ...shared,
    type: hook.clientId === null ? 'general' : 'application',
    webhook_id: String(hook.id),
    webhook_owner_id: String(hook.ownerId),
  };
  const payload = JSON.stringify({ meta, data: change.data, previous: change.previous });
  const { id } = db.run(
    `insert into delivery (webhook_id, event, entity_id, state, attempt, due_ms, payload)
     values (?, ?, ?, 'waiting', 1, ?, ?)`,
    hook.id,
    `${change.action}.${change.entity}`,
    change.id,
    at.getTime(),
    payload,
  );
  db.run("delete from delivery where id <= ? and state <> 'waiting'", id - KEPT_DELIVERIES);
}
