import { type FieldDefinition, FieldsChanged } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { lockKey, type Origin, publish } from '@manifold/messaging';
import type { Connection } from '../accounts/tables.ts';
import type { Db, Tx } from '../store.ts';
import { insertFieldChanges, removeOldFieldChanges } from './changes/store.ts';
import { isExternalIdObject } from './external-id/rules.ts';
import { findExternalIdField, forgetField } from './external-id/store.ts';
import {
  type CatalogueDifference,
  type CataloguedObject,
  compareCatalogues,
  isDifferent,
  oldestKept,
  withField,
} from './rules.ts';
import { type Catalogue, findCatalogue, setCatalogue } from './store.ts';

interface KeepingDeps {
  db: Db;
  now: () => Date;
}

/** What one reading of a catalogue found. */
export interface CatalogueReading extends CatalogueDifference {
  object: CataloguedObject;
  revision: number;
}

/** Keeps a catalogue as it was just read, with what differs from the reading before. */
export async function keepCatalogue(
  deps: KeepingDeps,
  connection: Connection,
  read: Reading,
): Promise<CatalogueReading> {
  const { object, fields, askedAt } = read;
  return alone(deps, connection, object, async (tx, before) => {
    // somebody who asked later was faster
    if (before !== undefined && askedAt < before.asked_at) {
      return { object, revision: before.revision, ...compareCatalogues([], []) };
    }
    const catalogue = { fields, askedAt, readAt: deps.now() };
    const reading = await replace(tx, connection, { before, object, catalogue });
    await noticeExternalId(tx, connection, read);
    await removeOldFieldChanges(tx, connection.id, oldestKept(deps.now()));
    // the first reading is told by `connection_established`
    if (before === undefined) return { ...reading, differences: [] };
    if (isDifferent(reading)) await tell(tx, connection, { reading, read, now: deps.now() });
    return reading;
  });
}

/** Puts a field that was made or grew in the catalogue there is; nothing while there is none. */
export async function keepMadeField(
  deps: KeepingDeps,
  connection: Connection,
  made: { object: CataloguedObject; field: FieldDefinition; asker?: Origin },
): Promise<void> {
  const { object, field } = made;
  await alone(deps, connection, object, async (tx, before) => {
    if (before === undefined) return;
    const fields = withField(before.fields, field);
    // a list that was asked for earlier may lack it
    const catalogue = { fields, askedAt: deps.now(), readAt: before.read_at };
    const reading = await replace(tx, connection, { before, object, catalogue });
    if (isDifferent(reading)) await tell(tx, connection, { reading, read: made, now: deps.now() });
  });
}

/** One change of a catalogue at a time; `work` gets it as it is now. */
const alone = <Result>(
  { db }: KeepingDeps,
  { workspace_id: workspaceId, id }: Connection,
  object: CataloguedObject,
  work: (tx: Tx, before: Catalogue | undefined) => Promise<Result>,
): Promise<Result> =>
  withWorkspace(db, workspaceId, async (tx) => {
    await lockKey(tx, workspaceId, `fields|${id}|${object}`);
    return work(tx, await findCatalogue(tx, id, object));
  });

async function replace(
  tx: Tx,
  { workspace_id: workspaceId, id: connectionId }: Connection,
  change: {
    before: Catalogue | undefined;
    object: CataloguedObject;
    catalogue: { fields: readonly FieldDefinition[]; askedAt: Date; readAt: Date };
  },
): Promise<CatalogueReading> {
  const { before, object, catalogue } = change;
  const difference = compareCatalogues(before?.fields ?? [], catalogue.fields);
  const isNew = before === undefined;
  const revision = (before?.revision ?? 0) + (isNew || isDifferent(difference) ? 1 : 0);
  await setCatalogue(tx, { workspaceId, connectionId, object, revision, ...catalogue });
  return { object, revision, ...difference };
}

interface Reading {
  object: CataloguedObject;
  fields: Catalogue['fields'];
  /** Before the first page was asked for. */
  askedAt: Date;
  asker?: Origin;
}

/** Somebody deleted our field in Pipedrive. */
async function noticeExternalId(
  tx: Tx,
  { company_id: companyId }: Connection,
  { object, fields, askedAt }: Reading,
): Promise<void> {
  if (!isExternalIdObject(object)) return;
  const code = (await findExternalIdField(tx, { companyId, object }))?.field_code ?? null;
  if (code === null || fields.some((field) => field.code === code)) return;
  await forgetField(tx, { companyId, object }, { code, foundBefore: askedAt });
}

const MOST_NAMED = 500;
/** Each with two names of up to 255 characters; the graph has them all. */
const MOST_TOLD = 200;
/** As many as one page of the graph lists; a catalogue that changed more than that is another one. */
const MOST_KEPT = 2_000;

async function tell(
  tx: Tx,
  connection: Connection,
  found: { reading: CatalogueReading; read: Pick<Reading, 'asker'>; now: Date },
): Promise<void> {
  const { workspace_id: workspaceId, id: connectionId } = connection;
  const { object, revision, added, changed, removed, differences } = found.reading;
  await insertFieldChanges(
    tx,
    differences.slice(0, MOST_KEPT).map(({ code, name, optionId, ...difference }) => ({
      ...{ workspace_id: workspaceId, connection_id: connectionId, object, revision },
      ...difference,
      ...{ field_code: code, field_name: name, option_id: optionId, found_at: found.now },
    })),
  );
  await publish(tx, FieldsChanged, {
    origin: found.read.asker ?? {
      workspaceId,
      actor: { kind: 'service', id: 'connections' },
      correlationId: connection.correlation_id,
    },
    key: connectionId,
    payload: {
      ...{ connectionId, object, revision },
      added: added.slice(0, MOST_NAMED),
      changed: changed.slice(0, MOST_NAMED),
      removed: removed.slice(0, MOST_NAMED),
      differences: differences
        .slice(0, MOST_TOLD)
        .map(({ kind, code, before, after }) => ({ kind, code, before, after })),
    },
    now: found.now,
  });
}
