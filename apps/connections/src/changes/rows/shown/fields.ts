import { ChangeId, type FieldDefinition } from '@manifold/contracts';
import { loadById } from '@manifold/subgraph';
import { isOwn } from '../../../accounts/ownership/rules.ts';
import type { Connection } from '../../../accounts/tables.ts';
import type { Vault } from '../../../vault/seal.ts';
import { urlOf } from '../../../writes/sending/rules.ts';
import { explainWait } from '../../../writes/waiting/rules.ts';
import { openImage } from '../../undoing/images.ts';
import type { ChangeSetContext as Context } from '../../reading/loaders.ts';
import { wordsOf } from '../../planning/reasons/rules.ts';
import { type Fields, stateOf } from '../../rules.ts';
import { textOf } from '../../values/texts/rules.ts';
import type { ChangeRow } from './store.ts';

/** Every field of `Change` that is not a column of the same name. */
export const createChangeFields = (deps: { vault: Vault }) => ({
  __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
    loadById(ChangeId, id, (known) => loaders.changes.load(known)),
  changeSet: ({ change_set_id }: ChangeRow, _: unknown, { loaders }: Context) =>
    loaders.changeSets.load(change_set_id),
  state: (change: ChangeRow) => stateOf(change),
  effect: ({ effect }: ChangeRow) => effect?.toUpperCase() ?? null,
  matchedBy: ({ matched_by }: ChangeRow) => matched_by?.toUpperCase() ?? null,
  reason: (change: ChangeRow) => reasonOf(change),
  cause: (change: ChangeRow) => explain(change).cause,
  fix: (change: ChangeRow) => explain(change).fix,
  pipedriveId: (change: ChangeRow) => recordOf(change),
  pipedriveUrl: async (change: ChangeRow, _: unknown, context: Context) =>
    change.pipedrive_url ?? urlAt(change, await connectionOf(change, context)),
  fields: (change: ChangeRow, _: unknown, context: Context) =>
    valuesFor(deps.vault, change, context),
  changedKeys: ({ changed_keys }: ChangeRow) => changed_keys,
  keptKeys: ({ kept_keys }: ChangeRow) => kept_keys,
  isReversible: ({ effect }: ChangeRow) => effect !== 'delete' && effect !== 'merge',
  priceEstimate: ({ price_tokens }: ChangeRow) => price_tokens,
  priceSpent: ({ cost_tokens }: ChangeRow) => cost_tokens,
  undoes: ({ undoes_change_id }: ChangeRow, _: unknown, { loaders }: Context) =>
    undoes_change_id === null ? null : loaders.changes.load(undoes_change_id),
  writeStep: ({ write_step_id }: ChangeRow, _: unknown, { loaders }: Context) =>
    loaders.writeSteps.load(write_step_id),
});

const reasonOf = ({ step_reason, reason }: ChangeRow) => step_reason ?? reason;
const recordOf = (change: ChangeRow) => change.step_pipedrive_id ?? change.pipedrive_id;

/** What came of the step says more than what was planned; else the plan's words are those of its reason. */
function explain(change: ChangeRow) {
  const reason = reasonOf(change);
  // one that waits to be sent, or for what came of it, says what its step says
  const waits = change.step_state === 'queued' || change.step_state === 'unknown';
  if (waits && change.step_reason !== null) return explainWait(change.step_reason);
  const isPlanned = reason === change.reason;
  return wordsOf({
    reason,
    cause: change.cause ?? (isPlanned ? change.planned_cause : null),
    fix: change.fix ?? (isPlanned ? change.planned_fix : null),
  });
}

async function connectionOf(
  { change_set_id }: ChangeRow,
  { loaders }: Context,
): Promise<Connection | null> {
  const set = await loaders.changeSets.load(change_set_id);
  return set && loaders.connections.load(set.connection_id);
}

function urlAt(change: ChangeRow, connection: Connection | null): string | null {
  const id = recordOf(change);
  if (id === null || connection === null) return null;
  return urlOf(connection.api_domain, { object: change.object, id }) ?? null;
}

/** Values are for those who could read them in Pipedrive: members, and of a personal connection its owner. */
async function valuesFor(vault: Vault, change: ChangeRow, context: Context) {
  const { identity, loaders } = context;
  if (identity.role === 'VIEWER') return null;
  const connection = await connectionOf(change, context);
  if (connection === null || !isOwn(connection, identity.userId)) return null;
  const values = valuesOf(vault, change);
  if (values === null || values.length === 0) return values;
  const catalogues = await loaders.cataloguesOf.load(connection.id);
  const fields = catalogues?.byObject.get(change.object)?.fields ?? [];
  const byCode = new Map(fields.map((field) => [field.code, field]));
  return values.map((value) => ({ ...value, ...readable(value, byCode.get(value.code)) }));
}

type ChangedValue = NonNullable<ReturnType<typeof valuesOf>>[number];

const readable = ({ before, after }: ChangedValue, field: FieldDefinition | undefined) => ({
  name: field?.name ?? null,
  type: field?.type ?? null,
  beforeText: textOf(field, before),
  afterText: textOf(field, after),
});

function valuesOf(vault: Vault, change: ChangeRow) {
  const before = openImage(vault, change, 'sealed_before');
  const after = openImage(vault, change, 'sealed_after');
  if (change.effect === null) return null;
  if (before === undefined || after === undefined) {
    return change.changed_keys.length === 0 ? [] : null;
  }
  const value = (fields: Fields, code: string) => fields[code] ?? null;
  return change.changed_keys.map((code) => ({
    code,
    before: value(before, code),
    after: value(after, code),
  }));
}
