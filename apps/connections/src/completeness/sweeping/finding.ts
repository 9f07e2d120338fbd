import type { PipedriveRecord } from '@manifold/contracts';
import type { WebhookEvent } from '@manifold/pipedrive';
import { timeOf } from '../../registry/entering.ts';
import { listKnown, putKnown } from '../../registry/records/store.ts';
import { isRecordId, marginBefore } from '../../registry/rules.ts';
import type { RegistryPlace } from '../../registry/tables.ts';
import type { Tx } from '../../store.ts';
import { tellChange } from '../../webhooks/telling.ts';
import type { CompletenessDeps, Reading } from '../reading.ts';
import { findGaps } from '../rules.ts';

/** Tells of a record no webhook told of, as a webhook would have; true when it was news. */
export async function tellFound(
  deps: CompletenessDeps,
  tx: Tx,
  found: UntoldRecord & { reading: Reading },
): Promise<boolean> {
  const { connection, catalogue, registry } = found.reading;
  const { record } = found;
  const updateTime = timeOf(record);
  // the time of an event can be a second after the time of the record it is about
  const revision = Math.max(updateTime.getTime(), found.knownRevision + 1);
  const event = eventOf(found.reading, record, {
    id: `read:${record.object}:${record.id}:${updateTime.getTime()}`,
    action: found.isKnown ? 'change' : 'create',
    occurredAt: new Date(revision).toISOString(),
  });
  if (await tellChange(deps, tx, { connection, catalogue, event })) return true;
  // told before, for example while nothing was tracked
  await putKnown(tx, registry, [{ pipedriveId: record.id, updateTime, revision, deleted: false }]);
  return false;
}

/** A record that is newer than what consumers were told of it. */
export interface UntoldRecord {
  record: PipedriveRecord;
  isKnown: boolean;
  /** Of what they were told last; 0 when nothing. */
  knownRevision: number;
}

/** Those of the records that consumers were not told of as they are now. */
export async function findUntold(
  tx: Tx,
  place: RegistryPlace,
  records: readonly PipedriveRecord[],
): Promise<UntoldRecord[]> {
  const numbered = records.filter(({ id }) => isRecordId(id));
  const ids = numbered.map(({ id }) => id);
  const known = new Map(
    (await listKnown(tx, place, ids)).map((record) => [record.pipedrive_id, record]),
  );
  const theirs = numbered.map((record) => ({ id: record.id, time: timeOf(record) }));
  const gaps = findGaps(theirs, [...known.values()]);
  const kinds = new Map(gaps.map(({ pipedrive_id, kind }) => [pipedrive_id, kind]));
  return numbered.flatMap((record) => {
    const kind = kinds.get(record.id);
    if (kind === undefined) return [];
    const knownRevision = Number(known.get(record.id)?.revision ?? 0);
    return [{ record, isKnown: kind === 'stale', knownRevision }];
  });
}

/** Tells that a record is gone. When it went nobody knows: after what was known of it, and before now. */
export function tellGone(
  deps: CompletenessDeps,
  tx: Tx,
  gone: { reading: Reading; pipedriveId: string; knownRevision: number },
): Promise<boolean> {
  const { connection, catalogue, registry } = gone.reading;
  const { pipedriveId: id, knownRevision } = gone;
  const at = new Date(Math.max(marginBefore(deps.now()).getTime(), knownRevision + 1));
  const occurredAt = at.toISOString();
  const record = {
    object: registry.object,
    id,
    updateTime: occurredAt,
    addTime: null,
    deleted: true,
    fields: {},
  };
  const event = eventOf(gone.reading, record, {
    id: `gone:${registry.object}:${id}:${knownRevision}`,
    action: 'delete',
    occurredAt,
  });
  return tellChange(deps, tx, { connection, catalogue, event });
}

const eventOf = (
  { connection }: Reading,
  record: PipedriveRecord,
  change: Pick<WebhookEvent, 'id' | 'action' | 'occurredAt'>,
): WebhookEvent => ({
  ...change,
  object: record.object,
  recordId: record.id,
  companyId: connection.company_id,
  userId: null,
  webhookId: null,
  correlationId: null,
  attempt: 1,
  changeSource: null,
  bulkEdit: false,
  mergedInto: null,
  mergedFrom: null,
  // who may see it a list does not say
  permittedUserIds: null,
  record,
  previous: null,
});
