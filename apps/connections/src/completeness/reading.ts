import type { PipedriveRecord, ReasonCode } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  type Failure,
  isListedByIds,
  type ListOptions,
  operations,
  type Outcome,
  type PipedriveClient,
  recordOperations,
} from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { PipedriveAccess } from '../accounts/calling/client.ts';
import type { Connection } from '../accounts/tables.ts';
import type { OwnFeature } from '../budget/usage/features.ts';
import { type Catalogue, findCatalogue } from '../fields/store.ts';
import { MOST_ONE_BY_ONE, readByIds } from '../records/by-ids.ts';
import { listChanged } from '../registry/paging/listing.ts';
import { isTrackable, type TrackedObject } from '../registry/rules.ts';
import type { RecordRegistry } from '../registry/tables.ts';
import type { Db } from '../store.ts';
import type { TellingDeps } from '../webhooks/telling.ts';

export interface CompletenessDeps extends TellingDeps {
  db: Db;
  access: PipedriveAccess;
  log: Logger;
  /** How often changes are looked for that nobody told of. */
  sweepEveryMs: number;
  /** How often everything is compared. */
  verifyEveryMs: number;
  /** How long a delivery may take before it counts as lost. */
  graceMs: number;
}

/** A registry with what it takes to read for it. */
export interface Reading {
  registry: RecordRegistry;
  connection: Connection;
  catalogue: Catalogue | undefined;
  client: PipedriveClient;
}

/** What a piece of work leaves to do: at once, at a time, after a failure, or when it may be done. */
export type Progress =
  | { next: 'more' }
  | { next: 'rest' }
  /** After a pause of this length, where the usual one is too short. */
  | { next: 'failed'; failure: Failure; pauseMs?: number }
  | { next: 'waits'; reason: ReasonCode };

export async function prepareReading(
  deps: CompletenessDeps,
  registry: RecordRegistry,
  { connection, feature }: { connection: Connection; feature: OwnFeature },
): Promise<Reading> {
  const { workspace_id: workspaceId, connection_id: connectionId, object } = registry;
  const catalogue = await withWorkspace(deps.db, workspaceId, (tx) =>
    findCatalogue(tx, connectionId, object),
  );
  const use = { lane: 'bulk', feature } as const;
  const client = await deps.access.clientFor(workspaceId, connectionId, use);
  return { registry, connection, catalogue, client };
}

export function list(reading: Reading, options: ListOptions): Promise<Outcome<PipedriveRecord[]>> {
  const { catalogue, client } = reading;
  const definitions = catalogue?.fields;
  return client.listRecords(objectOf(reading), { definitions, ...options });
}

/** One page of what changed, in the order of change. */
export function listChangesOf(
  reading: Reading,
  page: { since: Date; limit: number; cursor: string | undefined },
): Promise<Outcome<PipedriveRecord[]>> {
  const { catalogue, client } = reading;
  const definitions = catalogue?.fields;
  return listChanged(client, objectOf(reading), { definitions, ...page });
}

/** How many can be named at once: where no list can name them, each is read by itself. */
export const mostNamed = ({ registry: { object } }: Pick<Reading, 'registry'>): number =>
  isTrackable(object) && isListedByIds(object) ? 100 : MOST_ONE_BY_ONE;

/** The records with these ids; what is gone or cannot be seen is left out. */
export function listNamed(
  reading: Reading,
  ids: readonly string[],
): Promise<Outcome<PipedriveRecord[]>> {
  const { catalogue, client } = reading;
  const object = objectOf(reading);
  const definitions = catalogue?.fields ?? [];
  return isListedByIds(object)
    ? client.listRecords(object, { definitions, ids, limit: mostNamed(reading) })
    : readByIds(client, object, { definitions, ids, customFields: [], includeFields: undefined });
}

/** Tokens it costs to read records by their ids. */
export const priceOfNamed = ({ registry }: Reading, ids: readonly string[]): number =>
  isTrackable(registry.object) && isListedByIds(registry.object)
    ? priceOf(registry)
    : priceOf(registry, 'get') * ids.length;

function objectOf({ registry: { object } }: Reading): TrackedObject {
  if (!isTrackable(object)) throw new Error(`Records of the kind ${object} are not tracked`);
  return object;
}

/** Tokens of one call. */
export function priceOf(
  { object }: Pick<RecordRegistry, 'object'>,
  verb: 'list' | 'get' = 'list',
): number {
  return isTrackable(object) ? operations[recordOperations[object][verb]].priceTokens : 0;
}
