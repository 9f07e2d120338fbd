import type { PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Failure } from '@manifold/pipedrive';
import { enterKeys, keyFields, timeOf } from '../registry/entering.ts';
import {
  countKnownBetween,
  type KnownRange,
  listKnown,
  listKnownBetween,
  putKnown,
  setHidden,
} from '../registry/records/store.ts';
import { isArchivable, isRecordId, sightOf } from '../registry/rules.ts';
import { setRegistry } from '../registry/store.ts';
import type { Tx } from '../store.ts';
import { type CompletenessDeps, list, priceOf, type Progress, type Reading } from './reading.ts';
import { addToHash, EMPTY_HASH } from './sweeping/hashing.ts';
import { joinListed } from './pages/joining.ts';
import { findGaps, MOST_GAPS, PAGE, type Version } from './rules.ts';
import { insertGaps, lockCertificate, removeGaps, setCertificate } from './store.ts';
import type { Certificate } from './tables.ts';
import { explainFailure } from './trouble/rules.ts';
import { tellFailed } from './verdicts/telling.ts';

/** More of ours than this within one page of theirs are left to the next certificate. */
const MOST_EXTRAS = 5_000;

/** Reads one page of everything Pipedrive holds and compares it with what consumers were told. */
export async function checkPage(
  deps: CompletenessDeps,
  reading: Reading,
  certificate: Certificate,
): Promise<Progress> {
  const { registry } = reading;
  if (certificate.cursor === null) await noteBeginning(deps, certificate);
  const listed = await list(reading, {
    ...(await keyFields(deps.db, registry)),
    sortBy: 'id',
    limit: PAGE,
    cursor: certificate.cursor ?? undefined,
  });
  if (listed.outcome === 'refused' && certificate.cursor !== null) {
    // Pipedrive no longer takes the cursor
    return beginAgain(deps, certificate, listed);
  }
  if (listed.outcome !== 'ok') return { next: 'failed', failure: listed };
  const joined = joinListed(certificate, listed);
  if (joined.outcome === 'disordered') return beginAgain(deps, certificate, joined.failure);
  await withWorkspace(deps.db, registry.workspace_id, async (tx) => {
    const current = await lockCertificate(tx, certificate.id);
    // cancelled, or another replica was faster
    if (current?.state !== 'CHECKING' || current.cursor !== certificate.cursor) return;
    if (joined.outcome === 'shifted') {
      const cost_tokens = current.cost_tokens + priceOf(registry);
      await setCertificate(tx, current.id, { cursor: joined.nextCursor, cost_tokens });
      return;
    }
    const { records, nextCursor } = joined;
    if (!(await enterKeys(tx, deps.vault, { registry, records }))) return;
    await comparePage(tx, reading, { certificate: current, records, nextCursor, deps });
  });
  return { next: 'more' };
}

/** Whoever asks from here on cannot be served by this reading. */
const noteBeginning = ({ db, now }: CompletenessDeps, { workspace_id, id }: Certificate) =>
  withWorkspace(db, workspace_id, async (tx) => {
    const current = await lockCertificate(tx, id);
    if (current?.state !== 'CHECKING' || current.cursor !== null) return;
    await setCertificate(tx, id, { as_of: now() });
  });

interface Page {
  deps: CompletenessDeps;
  certificate: Certificate;
  records: readonly PipedriveRecord[];
  nextCursor: string | undefined;
}

async function comparePage(
  tx: Tx,
  { registry, connection }: Reading,
  { deps, certificate, records, nextCursor }: Page,
): Promise<void> {
  const versions: Version[] = records
    .filter(({ id }) => isRecordId(id))
    .map((record) => ({ id: record.id, time: timeOf(record) }));
  const ids = versions.map(({ id }) => id);
  const lastId = ids.at(-1) ?? certificate.last_id;
  const sight = certificate.sight ?? sightOf(connection);
  if (certificate.is_baseline) {
    await putKnown(tx, registry, versions.map(toKnown));
    if (registry.sight === null) await setRegistry(tx, registry, { sight });
  }
  await setHidden(tx, registry, { ids, hidden: false });
  const range = {
    after: certificate.last_id,
    upTo: nextCursor === undefined ? undefined : lastId,
    without: ids,
    // who sees all, and in every list, knows what is gone
    withHidden: connection.is_admin && !isArchivable(registry.object),
  };
  const { extras, beyond } = certificate.is_baseline
    ? { extras: [], beyond: 0 }
    : await listExtras(tx, registry, range);
  const gaps = certificate.is_baseline
    ? []
    : [...findGaps(versions, await listKnown(tx, registry, ids)), ...extras];
  const found = certificate.missing + certificate.stale + certificate.extra;
  const named = { workspace_id: registry.workspace_id, certificate_id: certificate.id };
  const kept = gaps.slice(0, Math.max(0, MOST_GAPS - found)).map((gap) => ({ ...named, ...gap }));
  await insertGaps(tx, kept);
  const count = (kind: string) => gaps.filter((gap) => gap.kind === kind).length;
  await setCertificate(tx, certificate.id, {
    cursor: nextCursor ?? null,
    last_id: lastId,
    is_read: nextCursor === undefined,
    judge_at:
      nextCursor !== undefined
        ? null
        : new Date(deps.now().getTime() + (certificate.is_baseline ? 0 : deps.graceMs)),
    pipedrive_count: certificate.pipedrive_count + versions.length,
    pipedrive_hash: addToHash(certificate.pipedrive_hash, versions),
    missing: certificate.missing + count('missing'),
    stale: certificate.stale + count('stale'),
    extra: certificate.extra + count('extra') + beyond,
    sight,
    cost_tokens: certificate.cost_tokens + priceOf(registry),
  });
}

const toKnown = ({ id, time }: Version) => ({
  pipedriveId: id,
  updateTime: time,
  revision: time.getTime(),
  deleted: false,
});

async function listExtras(tx: Tx, place: Reading['registry'], range: KnownRange) {
  const known = await listKnownBetween(tx, place, { ...range, limit: MOST_EXTRAS });
  const extras = known.map(({ pipedrive_id, update_time }) => ({
    pipedrive_id,
    kind: 'extra' as const,
    pipedrive_time: null,
    known_time: update_time,
  }));
  const isAll = known.length < MOST_EXTRAS;
  return { extras, beyond: isAll ? 0 : (await countKnownBetween(tx, place, range)) - known.length };
}

/** One that cannot be read to its end is given up after so many tries. */
const MOST_RESTARTS = 3;
const PAUSE_AFTER_MS = 3_600_000;

/** From the start, with nothing counted; not for ever. */
export async function beginAgain(
  deps: CompletenessDeps,
  { workspace_id, id, cursor }: Certificate,
  failure: Failure,
): Promise<Progress> {
  return withWorkspace(deps.db, workspace_id, async (tx) => {
    const current = await lockCertificate(tx, id);
    if (current?.state !== 'CHECKING' || current.cursor !== cursor) return { next: 'more' };
    await removeGaps(tx, id);
    if (current.restarts >= MOST_RESTARTS) {
      const end = { state: 'FAILED' as const, finished_at: deps.now() };
      const trouble = explainFailure(failure);
      const failed = await setCertificate(tx, id, { ...end, ...trouble });
      const told = { reason: trouble.reason, now: deps.now() };
      if (failed !== undefined) await tellFailed(tx, failed, told);
      return { next: 'failed', failure, pauseMs: PAUSE_AFTER_MS };
    }
    await setCertificate(tx, id, { ...FROM_THE_START, restarts: current.restarts + 1 });
    return { next: 'failed', failure };
  });
}

const FROM_THE_START = {
  ...{ cursor: null, last_id: '0', is_read: false, judge_at: null, judged_id: '0', sight: null },
  as_of: null,
  ...{ pipedrive_count: 0, pipedrive_hash: EMPTY_HASH, missing: 0, stale: 0, extra: 0 },
} satisfies Partial<Certificate>;
