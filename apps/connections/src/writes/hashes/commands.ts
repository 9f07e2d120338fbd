import type { FieldValue, PipedriveObject, WorkspaceId, WriteStep } from '@manifold/contracts';
import { z } from 'zod';
import type { Connection } from '../../accounts/tables.ts';
import type { Db } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { findHealth } from '../../webhooks/health/store.ts';
import { coversAll, type HashPart, hashFields, mayTrust } from './rules.ts';
import { findHashes, lockHashes, putHashes, removeHashes } from './store.ts';

type Fields = Readonly<Record<string, FieldValue>>;

/** A record as it was just read or told of. */
export interface SeenRecord {
  workspaceId: WorkspaceId;
  companyId: string;
  object: PipedriveObject;
  pipedriveId: string;
  /** What is not in here stays as it was known. */
  fields: Fields;
  updateTime: string | null;
  deleted?: boolean;
}

const hashesShape = z.record(z.string(), z.array(z.string()));

/** 128 bits: nothing of a value can be told from it, and two values do not share one. */
const hashOf =
  (vault: Vault, { workspaceId, object, pipedriveId }: Omit<SeenRecord, 'fields'>): HashPart =>
  (code, part) =>
    vault
      .keyedHash(`record|${workspaceId}`, `${object}|${pipedriveId}|${code}|${part}`)
      .slice(0, 32);

/** Keeps what is known of a record current. Only of fields a step once asked for, and only hashes. */
export async function noticeRecord(
  tx: Db,
  seen: SeenRecord,
  deps: { vault: Vault; now: Date },
): Promise<void> {
  if (seen.deleted === true) return removeHashes(tx, seen);
  await rememberFields(tx, seen, { ...deps, codes: [] });
}

/** Remembers what a record holds in these fields too. */
export async function rememberFields(
  tx: Db,
  seen: SeenRecord,
  { vault, now, codes }: { vault: Vault; now: Date; codes: readonly string[] },
): Promise<void> {
  const known = await lockHashes(tx, seen);
  const before = known ? Object.keys(hashesShape.parse(JSON.parse(known.hashes))) : [];
  // all at once: what is left out would count as seen at this time
  const fields = Object.fromEntries(
    [...before, ...codes].flatMap((code) => {
      const value = seen.fields[code];
      return value === undefined ? [] : [[code, value]];
    }),
  );
  if (Object.keys(fields).length === 0) return;
  await putHashes(tx, {
    workspace_id: seen.workspaceId,
    company_id: seen.companyId,
    object: seen.object,
    pipedrive_id: seen.pipedriveId,
    hashes: JSON.stringify(hashFields(fields, hashOf(vault, seen))),
    update_time: seen.updateTime === null ? null : new Date(seen.updateTime),
    seen_at: now,
  });
}

/** Whether a record is known to be as a step wants it, without a look at Pipedrive. */
export async function isKnownEqual(
  tx: Db,
  record: Omit<SeenRecord, 'updateTime'>,
  by: { vault: Vault; existing: WriteStep['existing']; connection: Connection },
): Promise<boolean> {
  const known = await findHashes(tx, record);
  if (known === undefined) return false;
  const { vault, existing, connection } = by;
  const health = await findHealth(tx, connection.id);
  if (!mayTrust(known.seen_at, { connection, health })) return false;
  const wanted = { fields: record.fields, existing };
  const hash = hashOf(vault, { ...record, updateTime: null });
  return coversAll(hashesShape.parse(JSON.parse(known.hashes)), wanted, hash);
}
