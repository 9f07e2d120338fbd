import type { PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { removeOldDeleted } from '../registry/forgetting/store.ts';
import { listKnown, setHidden } from '../registry/records/store.ts';
import { marginBefore } from '../registry/rules.ts';
import { lockRegistry, setRegistry } from '../registry/store.ts';
import type { Tx } from '../store.ts';
import { KEEP_MS } from '../webhooks/rules.ts';
import {
  type CompletenessDeps,
  listNamed,
  mostNamed,
  priceOfNamed,
  type Progress,
  type Reading,
} from './reading.ts';
import { knownHash } from './sweeping/hashing.ts';
import { decideVerdict, isStillGap, MOST_GAPS } from './rules.ts';
import {
  listGaps,
  lockCertificate,
  removeGaps,
  removeOldCertificates,
  setCertificate,
} from './store.ts';
import type { Certificate, Gap } from './tables.ts';
import { tellVerified } from './verdicts/telling.ts';

/** Of one piece of work, which has to end within its lease. */
const CALLS_AT_ONCE = 3;
const KEEP_CERTIFICATES = 20;

/**
 * Looks once more at everything that differed, now that deliveries under way have come: what is gone
 * from Pipedrive is asked for by its id before it counts. Then says how the comparison ended.
 */
export async function judge(
  deps: CompletenessDeps,
  reading: Reading,
  certificate: Certificate,
): Promise<Progress> {
  const { workspace_id: workspaceId } = reading.registry;
  const scoped = <Result>(work: (tx: Tx) => Promise<Result>) =>
    withWorkspace(deps.db, workspaceId, work);
  if (certificate.judged_id === '0') {
    await scoped((tx) => dropSettled(tx, reading, certificate));
  }
  let after = certificate.judged_id;
  for (let call = 0; call < CALLS_AT_ONCE; call += 1) {
    const page = { limit: mostNamed(reading), after, kinds: ['extra'] as const };
    const extras = await scoped((tx) => listGaps(tx, certificate.id, page));
    if (extras.length === 0) {
      const isRepairing = await scoped((tx) => conclude(deps, tx, { reading, certificate }));
      return { next: isRepairing ? 'more' : 'rest' };
    }
    const ids = extras.map(({ pipedrive_id }) => pipedrive_id);
    const listed = await listNamed(reading, ids);
    if (listed.outcome !== 'ok') return { next: 'failed', failure: listed };
    const living = listed.data.filter(({ deleted }) => !deleted);
    const present = new Set(living.map(({ id }) => id));
    after = ids.at(-1) ?? after;
    const gaps = extras.filter(({ pipedrive_id }) => present.has(pipedrive_id));
    const progress = { judged_id: after, cost: priceOfNamed(reading, ids) };
    const found = { registry: reading.registry, certificate, gaps, living, progress };
    await scoped((tx) => dropFound(tx, found));
  }
  return { next: 'more' };
}

/** What is archived exists and is in no list: it counts again when it is back in one. */
async function dropFound(
  tx: Tx,
  found: Parameters<typeof dropGaps>[1] & {
    registry: Reading['registry'];
    living: readonly PipedriveRecord[];
  },
): Promise<void> {
  await dropGaps(tx, found);
  const archived = found.living.filter(({ fields }) => fields['is_archived'] === true);
  const ids = archived.map(({ id }) => id);
  if (ids.length > 0) await setHidden(tx, found.registry, { ids, hidden: true });
}

/** These are none after all; what is left is counted. */
async function dropGaps(
  tx: Tx,
  of: {
    certificate: Certificate;
    gaps: readonly Gap[];
    progress?: { judged_id: string; cost: number };
  },
): Promise<void> {
  const { gaps, progress } = of;
  const current = await lockCertificate(tx, of.certificate.id);
  if (current?.state !== 'CHECKING') return;
  const ids = gaps.map(({ pipedrive_id }) => pipedrive_id);
  await removeGaps(tx, current.id, ids);
  const count = (kind: Gap['kind']) => gaps.filter((gap) => gap.kind === kind).length;
  await setCertificate(tx, current.id, {
    missing: current.missing - count('missing'),
    stale: current.stale - count('stale'),
    extra: current.extra - count('extra'),
    judged_id: progress?.judged_id ?? current.judged_id,
    cost_tokens: current.cost_tokens + (progress?.cost ?? 0),
  });
}

/** Gaps that closed by themselves go. */
async function dropSettled(tx: Tx, { registry }: Reading, certificate: Certificate): Promise<void> {
  let after = '0';
  for (;;) {
    const gaps: Gap[] = await listGaps(tx, certificate.id, { limit: 1_000, after });
    if (gaps.length === 0) return;
    const ids = gaps.map(({ pipedrive_id }) => pipedrive_id);
    const known = new Map(
      (await listKnown(tx, registry, ids)).map((record) => [record.pipedrive_id, record]),
    );
    const settled = gaps.filter((gap) => !isStillGap(gap, known.get(gap.pipedrive_id)));
    await dropGaps(tx, { certificate, gaps: settled });
    after = ids.at(-1) ?? after;
  }
}

async function conclude(
  deps: CompletenessDeps,
  tx: Tx,
  { reading, certificate }: { reading: Reading; certificate: Certificate },
): Promise<boolean> {
  const current = await lockCertificate(tx, certificate.id);
  if (current?.state !== 'CHECKING' || !current.is_read) return false;
  const registry = await lockRegistry(tx, reading.registry);
  if (registry === undefined || registry.releasing) return false;
  const now = deps.now();
  const gaps = await listGaps(tx, certificate.id, { limit: MOST_GAPS });
  const firstOf = (kind: Gap['kind']) =>
    gaps.find((gap) => gap.kind === kind)?.pipedrive_id ?? null;
  const { is_baseline: isBaseline, repairs, missing, stale, extra } = current;
  const differing = missing + stale + extra;
  const hasMore = differing > gaps.length;
  const state = decideVerdict({ isBaseline, repairs, gaps: differing });
  const isRepairing = state === 'REPAIRING';
  const taken = await setCertificate(tx, current.id, {
    state,
    known_count: current.pipedrive_count - missing + extra,
    known_hash: hasMore ? null : knownHash(current.pipedrive_hash, gaps),
    has_more: hasMore,
    first_missing_id: firstOf('missing'),
    first_stale_id: firstOf('stale'),
    first_extra_id: firstOf('extra'),
    taken_at: now,
    finished_at: isRepairing ? null : now,
  });
  if (taken === undefined) return false;
  await setRegistry(tx, registry, {
    keys: current.keys.filter((name) => registry.wanted_keys.includes(name)),
    sight: current.sight ?? registry.sight,
    verify_at: new Date(now.getTime() + deps.verifyEveryMs),
    ...(isBaseline ? builtFrom(current) : {}),
  });
  if (!isRepairing) await removeGaps(tx, current.id);
  await removeOldCertificates(tx, reading.registry, KEEP_CERTIFICATES);
  await removeOldDeleted(tx, reading.registry, new Date(now.getTime() - KEEP_MS));
  await tellVerified(tx, taken, now);
  return isRepairing;
}

/** After the first scan the index and the sweeps go on from where it began. */
const builtFrom = ({ started_at }: Certificate) => ({
  certified_until: marginBefore(started_at),
  swept_until: marginBefore(started_at),
});
