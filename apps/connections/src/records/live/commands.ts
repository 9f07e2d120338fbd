import type { FieldDefinition, PipedriveRecord, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { isCustomCode, type RecordObject } from '@manifold/pipedrive';
import type { PipedriveAccess } from '../../accounts/calling/client.ts';
import { requireOwn } from '../../accounts/ownership/rules.ts';
import { refusalOf, requireUsable } from '../../accounts/rules.ts';
import { findConnection } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import { isRecordId } from '../../changes/rules.ts';
import { requireKnownFields } from '../../fields/codes/rules.ts';
import { findFields } from '../../fields/store.ts';
import type { Db } from '../../store.ts';
import { readByIds } from '../by-ids.ts';
import { includedFields } from '../rules.ts';

export interface LiveDeps {
  db: Db;
  access: PipedriveAccess;
}

export interface LiveQuestion {
  workspaceId: WorkspaceId;
  userId: string;
  connectionId: Connection['id'];
  object: RecordObject;
  ids: readonly string[];
  fields: readonly string[];
}

export interface LiveAnswer {
  /** Those that are there, in the order they were asked for. */
  records: PipedriveRecord[];
  missing: string[];
  definitions: readonly FieldDefinition[];
  connection: Connection;
}

/**
 * Records as Pipedrive has them this moment, for somebody who looks at them. Nothing of them is kept
 * or logged; only the price is entered in the ledger.
 */
export async function readLive(deps: LiveDeps, question: LiveQuestion): Promise<LiveAnswer> {
  const { workspaceId, connectionId, object, fields } = question;
  const { found, definitions } = await withWorkspace(deps.db, workspaceId, async (tx) => ({
    found: await findConnection(tx, connectionId),
    definitions: await findFields(tx, connectionId, object),
  }));
  const connection = requireUsable(found, connectionId, 'connectionId');
  requireOwn(connection, question.userId, 'connectionId');
  const ids = [...new Set(question.ids)];
  // what cannot be an id is nobody's, and costs no call
  const possible = ids.filter((id) => isRecordId(object, id));
  const included = includedFields(object, fields);
  const named = fields.map((code, index) => ({ code, path: `fields.${index}` }));
  // some that Pipedrive brings only when asked are in no catalogue
  const looked = named.filter(({ code }) => !included.includes(code));
  requireKnownFields(definitions, object, looked);
  if (possible.length === 0) return { records: [], missing: ids, definitions, connection };
  const use = { lane: 'interactive', feature: 'live' } as const;
  const client = await deps.access.clientFor(workspaceId, connectionId, use);
  const reading = await readByIds(client, object, {
    ids: possible,
    definitions,
    customFields: fields.filter(isCustomCode),
    includeFields: included.length === 0 ? undefined : included,
  });
  if (reading.outcome !== 'ok') throw refusalOf(reading);
  const byId = new Map(reading.data.map((record) => [record.id, record]));
  return {
    records: ids.flatMap((id) => byId.get(id) ?? []),
    missing: ids.filter((id) => !byId.has(id)),
    definitions,
    connection,
  };
}
