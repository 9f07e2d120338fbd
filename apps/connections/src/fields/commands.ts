import type { ConnectionId, PipedriveObject } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Origin } from '@manifold/messaging';
import type { PipedriveClient } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import { refusalOf } from '../accounts/rules.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db, Tx } from '../store.ts';
import { setUpkeepDue } from '../upkeep/store.ts';
import { type CatalogueReading, keepCatalogue } from './keeping.ts';
import {
  type CataloguedObject,
  CATALOGUED,
  isCatalogued,
  listDue,
  namesUnknownField,
  readAgainAt,
} from './rules.ts';
import { takeOverReadings } from './sharing/store.ts';
import { type Catalogue, listCatalogueAges, markCatalogueStale } from './store.ts';

interface FieldDeps {
  db: Db;
  now: () => Date;
  log: Logger;
}

/** Reads the catalogues that are due; false when one could not be read now. */
export async function readDueCatalogues(
  deps: FieldDeps,
  client: PipedriveClient,
  connection: Connection,
): Promise<boolean> {
  const { db, log, now } = deps;
  const ages = await withWorkspace(db, connection.workspace_id, async (tx) => {
    await takeOverReadings(tx, connection);
    return listCatalogueAges(tx, connection.id);
  });
  // a renewed grant may see other fields
  const due = connection.established_at === null ? CATALOGUED : listDue(ages, now());
  let isComplete = true;
  for (const object of due) {
    const askedAt = now();
    const listed = await client.listFields(object);
    if (listed.outcome === 'ok') {
      await keepCatalogue(deps, connection, { object, fields: listed.data, askedAt });
      continue;
    }
    log.warn({ connection: connection.id, object, outcome: listed.outcome }, 'fields not read');
    // asking again does not bring a scope
    if (listed.outcome !== 'scope_missing') isComplete = false;
  }
  return isComplete;
}

/**
 * Reads the catalogues of some objects now, of all when none are named; the refusal of the first that
 * fails. Unless it was named, an object the grant does not reach is left out.
 */
export async function refreshFields(
  deps: FieldDeps,
  client: PipedriveClient,
  request: {
    connection: Connection;
    objects: readonly CataloguedObject[] | undefined;
    asker: Origin;
  },
): Promise<CatalogueReading[]> {
  const { connection, objects, asker } = request;
  const readings: CatalogueReading[] = [];
  for (const object of objects ?? CATALOGUED) {
    const askedAt = deps.now();
    const listed = await client.listFields(object);
    if (listed.outcome === 'scope_missing' && objects === undefined) continue;
    if (listed.outcome !== 'ok') throw refusalOf(listed);
    const read = { object, fields: listed.data, askedAt, asker };
    readings.push(await keepCatalogue(deps, connection, read));
  }
  return readings;
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
