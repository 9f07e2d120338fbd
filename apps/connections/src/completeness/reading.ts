import type { PipedriveRecord, ReasonCode } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  type Failure,
  type ListByIdsOptions,
  operations,
  type Outcome,
  type PipedriveClient,
  recordOperations,
} from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { PipedriveAccess } from '../accounts/client.ts';
import type { Connection } from '../accounts/tables.ts';
import { type Catalogue, findCatalogue } from '../fields/store.ts';
import { isTrackable } from '../registry/rules.ts';
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
  connection: Connection,
): Promise<Reading> {
  const { workspace_id: workspaceId, connection_id: connectionId, object } = registry;
  const catalogue = await withWorkspace(deps.db, workspaceId, (tx) =>
    findCatalogue(tx, connectionId, object),
  );
  const use = { lane: 'bulk', feature: 'completeness' } as const;
  const client = await deps.access.clientFor(workspaceId, connectionId, use);
  return { registry, connection, catalogue, client };
}

export function list(
  { registry: { object }, catalogue, client }: Reading,
  options: ListByIdsOptions,
): Promise<Outcome<PipedriveRecord[]>> {
  if (!isTrackable(object)) throw new Error(`Records of the kind ${object} are not tracked`);
  return client.listRecords(object, { definitions: catalogue?.fields, ...options });
}

/** Tokens of one call. */
export function priceOf(
  { object }: Pick<RecordRegistry, 'object'>,
  verb: 'list' | 'get' = 'list',
): number {
  return isTrackable(object) ? operations[recordOperations[object][verb]].priceTokens : 0;
}
