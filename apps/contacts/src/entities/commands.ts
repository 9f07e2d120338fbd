import type { MappedRecord } from '@manifold/mapping';
import type { Applying } from '../links/commands.ts';
import { listOtherSources } from '../links/store.ts';
import { entityOf, hotColumns } from '../mappings/rules.ts';
import type { Contact, Tx } from '../store.ts';
import { attribute, type EntityPlan, planEntity, type Standing } from './rules.ts';
import { type EntityRow, insertEntities, lockEntities, updateEntities } from './store.ts';

/** One record on its way into the contact or account it belongs to. */
export interface Incoming {
  entityId: string;
  mapped: MappedRecord;
  accountId: Contact['account_id'] | undefined;
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
  const others =
    joining.length === 0
      ? []
      : await listOtherSources(
          tx,
          scope,
          joining.map(({ entityId }) => entityId),
        );
  const firstSources = new Map(others.map((row) => [row.entity_id, row.data_source_id]));

  const inserts: EntityRow[] = [];
  const updates: EntityRow[] = [];
  const plans = incoming.map((one) => {
    const existing = entities.get(one.entityId);
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
  { entityId, mapped, accountId }: Incoming,
  { existing, joins }: { existing: Standing | undefined; joins: string | undefined },
): { plan: EntityPlan; row: EntityRow | undefined } {
  const { object, mapping, source } = applying;
  const plan = planEntity({ object, mapped, policy: mapping.policy, existing, accountId });
  if (plan.outcome === 'skipped') return { plan, row: undefined };
  const origins = attribute({
    before: existing,
    after: plan,
    incoming: mapped.values[entityOf(object)] ?? {},
    sourceId: source.id,
    joins,
  });
  if (plan.outcome === 'unchanged' && joins === undefined) return { plan, row: undefined };
  return { plan, row: rowOf(applying, { ...plan, id: entityId, origins }) };
}

/** A whole row; `created_at` counts for new ones only. */
export function rowOf(
  { source, mapping, object, now }: Pick<Applying, 'source' | 'mapping' | 'object' | 'now'>,
  entity: Pick<EntityRow, 'id' | 'values' | 'origins'> & { accountId: Contact['account_id'] },
): EntityRow {
  return {
    workspace_id: source.workspace_id,
    id: entity.id,
    ...hotColumns(entity.values, mapping.variables[object]),
    account_id: entity.accountId,
    values: entity.values,
    origins: entity.origins,
    created_at: now,
    updated_at: now,
  };
}
