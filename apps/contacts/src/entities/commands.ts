import type { MappedRecord } from '@manifold/mapping';
import type { Applying } from '../links/commands.ts';
import { MAX_ASSOCIATIONS } from '../links/rules.ts';
import { countLiveLinksOfEach, listOtherSources } from '../links/store.ts';
import { entityOf, hasIdentifier, hotColumns } from '../mappings/rules.ts';
import type { Contact, Tx, Values } from '../store.ts';
import { planSubscriptions } from '../subscriptions/rules.ts';
import { attribute, type EntityPlan, oneTooMany, planEntity, type Standing } from './rules.ts';
import { type EntityRow, insertEntities, lockEntities, updateEntities } from './store.ts';

/** One record on its way into the contact or account it belongs to. */
export interface Incoming {
  entityId: string;
  mapped: MappedRecord;
  accountId: Contact['account_id'] | undefined;
  /** As Pipedrive says it; null when it does not. */
  marketingStatus: string | null;
  /** True: no record of this source led there before. */
  fresh: boolean;
}

/** Merges records into their contacts or accounts, making those that are not there; one plan each. */
export async function mergeEntities(
  tx: Tx,
  applying: Applying,
  incoming: readonly Incoming[],
): Promise<EntityPlan[]> {
  const { source, object } = applying;
  const workspaceId = source.workspace_id;
  const ids = incoming.map(({ entityId }) => entityId);
  const locked = await lockEntities(tx, workspaceId, { object, ids });
  const entities = new Map(locked.map((entity) => [entity.id, entity]));
  const joining = incoming.filter(({ fresh, entityId }) => fresh && entities.has(entityId));
  const scope = { workspaceId, dataSourceId: source.id, object };
  const joined = joining.map(({ entityId }) => entityId);
  const others = joined.length === 0 ? [] : await listOtherSources(tx, scope, joined);
  const counts =
    joined.length === 0 ? [] : await countLiveLinksOfEach(tx, workspaceId, { entityIds: joined });
  const full = new Set(
    counts.flatMap((row) => (row.count > MAX_ASSOCIATIONS ? [row.entity_id] : [])),
  );
  const firstSources = new Map(others.map((row) => [row.entity_id, row.data_source_id]));

  const inserts: EntityRow[] = [];
  const updates: EntityRow[] = [];
  const plans = incoming.map((one) => {
    const existing = entities.get(one.entityId);
    if (one.fresh && existing && full.has(one.entityId)) return oneTooMany(existing);
    const joins = one.fresh && existing ? firstSources.get(one.entityId) : undefined;
    const { plan, row } = planOne(applying, one, { existing, joins });
    if (row) (existing ? updates : inserts).push(row);
    return plan;
  });
  if (inserts.length > 0) await insertEntities(tx, object, inserts);
  if (updates.length > 0) await updateEntities(tx, workspaceId, { object, rows: updates });
  return plans;
}

function planOne(
  applying: Applying,
  { entityId, mapped, accountId, marketingStatus }: Incoming,
  { existing, joins }: { existing: Standing | undefined; joins: string | undefined },
): { plan: EntityPlan; row: EntityRow | undefined } {
  const { object, mapping, source, now } = applying;
  const { policy } = mapping;
  const isIdentified = (values: Values) =>
    object === 'organization' ||
    !source.require_identifier ||
    hasIdentifier(values, mapping.variables.person);
  const plan = planEntity({ object, mapped, policy, existing, accountId, isIdentified });
  if (plan.outcome === 'skipped') return { plan, row: undefined };
  const { subscriptions, decided } =
    object === 'organization'
      ? { subscriptions: {}, decided: [] }
      : planSubscriptions({
          existing: existing?.subscriptions,
          mapped: {
            ...(existing ? {} : mapped.createOnlyValues.permission),
            ...mapped.values.permission,
          },
          ...{ marketingStatus, policy, now },
        });
  const origins = attribute({
    before: existing,
    after: plan,
    incoming: mapped.values[entityOf(object)] ?? {},
    sourceId: source.id,
    joins,
  });
  const settled = existing ? withDecided(plan, decided) : plan;
  if (settled.outcome === 'unchanged' && joins === undefined) return { plan, row: undefined };
  const row = rowOf(applying, { ...plan, id: entityId, origins, subscriptions });
  return { plan: settled, row };
}

/** A known contact of whom a channel was decided has changed, even where nothing else did. */
function withDecided(plan: EntityPlan, decided: readonly string[]): EntityPlan {
  if (decided.length === 0) return plan;
  const keys = decided.map((channel) => `permission.${channel}`);
  return { ...plan, outcome: 'updated', changedKeys: [...plan.changedKeys, ...keys] };
}

/** A whole row; `created_at` and `added_by` count for new ones only. */
export function rowOf(
  { source, mapping, object, now }: Pick<Applying, 'source' | 'mapping' | 'object' | 'now'>,
  entity: Pick<EntityRow, 'id' | 'values' | 'origins' | 'subscriptions'> & {
    accountId: Contact['account_id'];
  },
): EntityRow {
  return {
    workspace_id: source.workspace_id,
    id: entity.id,
    ...hotColumns(entity.values, mapping.variables[object]),
    account_id: entity.accountId,
    values: entity.values,
    origins: entity.origins,
    added_by: source.id,
    subscriptions: entity.subscriptions,
    created_at: now,
    updated_at: now,
  };
}
