import { withWorkspace } from '@manifold/database';
import type { Outcome } from '@manifold/pipedrive';
import { removeKeys } from '../../registry/keys/store.ts';
import { listKnown, putKnown, setHidden } from '../../registry/records/store.ts';
import { isArchivable, isTrackable } from '../../registry/rules.ts';
import { lockRegistry, setRegistry } from '../../registry/store.ts';
import type { Tx } from '../../store.ts';
import { findUntold, tellFound, tellGone } from './finding.ts';
import {
  type CompletenessDeps,
  listNamed,
  mostNamed,
  priceOf,
  priceOfNamed,
  type Progress,
  type Reading,
} from '../reading.ts';
import { listGaps, lockCertificate, removeGaps, setCertificate } from '../store.ts';
import type { Certificate, Gap } from '../tables.ts';
import { tellVerified } from '../verdicts/telling.ts';

/** Where every absent one is asked for by itself. */
const FEW_AT_ONCE = 10;

/** Tells consumers of the next records they missed. */
export async function repairSome(
  deps: CompletenessDeps,
  reading: Reading,
  certificate: Certificate,
): Promise<Progress> {
  const { registry } = reading;
  const scoped = <Result>(work: (tx: Tx) => Promise<Result>) =>
    withWorkspace(deps.db, registry.workspace_id, work);
  const limit = isCertain(reading) ? mostNamed(reading) : FEW_AT_ONCE;
  const gaps = await scoped((tx) => listGaps(tx, certificate.id, { limit }));
  if (gaps.length === 0) {
    await scoped((tx) => finish(deps, tx, certificate));
    return { next: 'rest' };
  }
  const ids = gaps.map(({ pipedrive_id }) => pipedrive_id);
  const listed = await listNamed(reading, ids);
  if (listed.outcome !== 'ok') return { next: 'failed', failure: listed };
  const living = listed.data.filter(({ deleted }) => !deleted);
  const present = new Set(living.map(({ id }) => id));
  const absent = gaps.filter(({ pipedrive_id }) => !present.has(pipedrive_id));
  const deleted = new Set(
    listed.data.filter((record) => record.deleted).map((record) => record.id),
  );
  const sight = await findHidden(reading, { absent, deleted });
  if (sight.outcome !== 'ok') return { next: 'failed', failure: sight };
  await scoped(async (tx) => {
    const current = await lockCertificate(tx, certificate.id);
    if (current?.state !== 'REPAIRING') return;
    // deliveries lock it before they lock anything of a record
    if ((await lockRegistry(tx, registry))?.releasing !== false) return;
    for (const untold of await findUntold(tx, registry, living)) {
      await tellFound(deps, tx, { reading, ...untold });
    }
    const hidden = await tellAbsent(deps, tx, { reading, absent, hidden: sight.data.hidden });
    await removeGaps(tx, certificate.id, ids);
    await setCertificate(tx, certificate.id, {
      repaired: current.repaired + ids.length - hidden,
      hidden: current.hidden + hidden,
      cost_tokens: current.cost_tokens + priceOfNamed(reading, ids) + sight.data.cost,
    });
  });
  return { next: 'more' };
}

/**
 * What is absent from a list need not be deleted: a user who is no administrator can lose sight of
 * a record, which Pipedrive then refuses to show, and archived deals are in no list.
 */
async function findHidden(
  { connection, client, registry }: Reading,
  { absent, deleted }: { absent: readonly Gap[]; deleted: ReadonlySet<string> },
): Promise<Outcome<{ hidden: ReadonlySet<string>; cost: number }>> {
  const hidden = new Set<string>();
  let cost = 0;
  const { object } = registry;
  if (isCertain({ connection, registry }) || !isTrackable(object)) {
    return { outcome: 'ok', data: { hidden, cost } };
  }
  for (const { pipedrive_id: id } of absent) {
    if (deleted.has(id)) continue;
    const got = await client.getRecord(object, id);
    cost += priceOf(registry, 'get');
    if (got.outcome !== 'ok' && got.outcome !== 'refused') return got;
    const isSeen = got.outcome === 'ok' && !got.data.deleted;
    if (isSeen || (got.outcome === 'refused' && !connection.is_admin)) hidden.add(id);
  }
  return { outcome: 'ok', data: { hidden, cost } };
}

/** Whether what is absent from a list is gone. */
const isCertain = ({ connection, registry }: Pick<Reading, 'connection' | 'registry'>): boolean =>
  connection.is_admin && !isArchivable(registry.object);

/**
 * Tells what is deleted. What is only out of sight is no longer counted, nobody is told, and its keys
 * stay: it exists.
 */
async function tellAbsent(
  deps: CompletenessDeps,
  tx: Tx,
  gone: { reading: Reading; absent: readonly Gap[]; hidden: ReadonlySet<string> },
): Promise<number> {
  const { reading } = gone;
  const { registry } = reading;
  const ids = gone.absent.map(({ pipedrive_id }) => pipedrive_id);
  const known = (await listKnown(tx, registry, ids)).filter(({ deleted }) => !deleted);
  const hidden = known.filter(({ pipedrive_id }) => gone.hidden.has(pipedrive_id));
  const hiddenIds = hidden.map(({ pipedrive_id }) => pipedrive_id);
  await setHidden(tx, registry, { ids: hiddenIds, hidden: true });
  for (const { pipedrive_id: pipedriveId, update_time, revision } of known) {
    if (gone.hidden.has(pipedriveId)) continue;
    const knownRevision = Number(revision ?? 0);
    const isTold = await tellGone(deps, tx, { reading, pipedriveId, knownRevision });
    if (isTold || update_time === null) continue;
    const forgotten = { pipedriveId, updateTime: update_time, revision: knownRevision };
    await putKnown(tx, registry, [{ ...forgotten, deleted: true }]);
    await removeKeys(tx, registry, [pipedriveId]);
  }
  return hiddenIds.length;
}

async function finish(deps: CompletenessDeps, tx: Tx, { id }: Certificate): Promise<void> {
  const current = await lockCertificate(tx, id);
  if (current?.state !== 'REPAIRING') return;
  const now = deps.now();
  const repaired = await setCertificate(tx, id, { state: 'REPAIRED', finished_at: now });
  if (repaired === undefined) return;
  // what one certificate could not follow up is the next one's, while that gets anywhere
  const isUseful = repaired.repaired + repaired.hidden > 0;
  if (repaired.has_more && isUseful) await setRegistry(tx, repaired, { verify_at: now });
  await tellVerified(tx, repaired, now);
}
