import { type ConnectionId, FieldsChanged, type PipedriveObject } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { lockKey, type Origin, publish } from '@manifold/messaging';
import type { PipedriveClient } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import { refusalOf } from '../accounts/rules.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db, Tx } from '../store.ts';
import { setUpkeepDue } from '../upkeep/store.ts';
import {
  type CatalogueDifference,
  type CataloguedObject,
  CATALOGUED,
  compareCatalogues,
  isCatalogued,
  isDifferent,
  listDue,
  namesUnknownField,
  readAgainAt,
} from './rules.ts';
import {
  type Catalogue,
  findCatalogue,
  listCatalogueAges,
  markCatalogueStale,
  setCatalogue,
} from './store.ts';

interface FieldDeps {
  db: Db;
  now: () => Date;
  log: Logger;
}

/** What one reading of a catalogue found. */
export interface CatalogueReading extends CatalogueDifference {
  object: CataloguedObject;
  revision: number;
}

/** Reads the catalogues that are due; false when one could not be read now. */
export async function readDueCatalogues(
  deps: FieldDeps,
  client: PipedriveClient,
  connection: Connection,
): Promise<boolean> {
  const { db, log, now } = deps;
  const ages = await withWorkspace(db, connection.workspace_id, (tx) =>
    listCatalogueAges(tx, connection.id),
  );
  // a renewed grant may see other fields
  const due = connection.established_at === null ? CATALOGUED : listDue(ages, now());
  let isComplete = true;
  for (const object of due) {
    const listed = await client.listFields(object);
    if (listed.outcome === 'ok') {
      await keepCatalogue(deps, connection, { object, fields: listed.data });
      continue;
    }
    log.warn({ connection: connection.id, object, outcome: listed.outcome }, 'fields not read');
    // asking again does not bring a scope
    if (listed.outcome !== 'scope_missing') isComplete = false;
  }
  return isComplete;
}

/** Reads the catalogues of some objects now; the refusal of the first that fails. */
export async function refreshFields(
  deps: FieldDeps,
  client: PipedriveClient,
  request: { connection: Connection; objects: readonly CataloguedObject[]; asker: Origin },
): Promise<CatalogueReading[]> {
  const { connection, asker } = request;
  const readings: CatalogueReading[] = [];
  for (const object of request.objects) {
    const listed = await client.listFields(object);
    if (listed.outcome !== 'ok') throw refusalOf(listed);
    readings.push(await keepCatalogue(deps, connection, { object, fields: listed.data, asker }));
  }
  return readings;
}

const MOST_NAMED = 500;

async function keepCatalogue(
  { db, now }: FieldDeps,
  { workspace_id: workspaceId, id: connectionId, correlation_id }: Connection,
  read: { object: CataloguedObject; fields: Catalogue['fields']; asker?: Origin },
): Promise<CatalogueReading> {
  const { object, fields } = read;
  return withWorkspace(db, workspaceId, async (tx) => {
    await lockKey(tx, workspaceId, `fields|${connectionId}|${object}`);
    const before = await findCatalogue(tx, connectionId, object);
    const difference = compareCatalogues(before?.fields ?? [], fields);
    const isNew = before === undefined;
    const revision = (before?.revision ?? 0) + (isNew || isDifferent(difference) ? 1 : 0);
    await setCatalogue(tx, { workspaceId, connectionId, object, revision, fields, readAt: now() });
    // the first reading is told by `connection_established`
    if (!isNew && isDifferent(difference)) {
      await publish(tx, FieldsChanged, {
        origin: read.asker ?? {
          workspaceId,
          actor: { kind: 'service', id: 'connections' },
          correlationId: correlation_id,
        },
        key: connectionId,
        payload: {
          connectionId,
          object,
          revision,
          added: difference.added.slice(0, MOST_NAMED),
          changed: difference.changed.slice(0, MOST_NAMED),
          removed: difference.removed.slice(0, MOST_NAMED),
        },
        now: now(),
      });
    }
    return { object, revision, ...difference };
  });
}

/** A record was seen: when it names a field the catalogue lacks, the catalogue is read again soon. */
export async function noticeFields(
  tx: Tx,
  seen: {
    connectionId: ConnectionId;
    object: PipedriveObject;
    keys: readonly string[];
    catalogue: Catalogue | undefined;
    now: Date;
  },
): Promise<void> {
  const { connectionId, object, keys, catalogue, now } = seen;
  if (catalogue === undefined || !isCatalogued(object) || catalogue.is_stale) return;
  if (!namesUnknownField(keys, catalogue.fields)) return;
  if (!(await markCatalogueStale(tx, connectionId, object))) return;
  await setUpkeepDue(tx, connectionId, readAgainAt(catalogue.read_at, now));
}
