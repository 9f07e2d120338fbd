import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { createLatch } from '@manifold/messaging';
import { decideAccess } from '../accounts/rules.ts';
import { findConnection } from '../accounts/store.ts';
import { seesAsMuch, sightOf } from '../registry/rules.ts';
import { leaseRegistries, setSweepsDue } from '../registry/store.ts';
import type { RecordRegistry } from '../registry/tables.ts';
import { releaseRecords, settleNeeds } from '../registry/commands.ts';
import { beginAgain, checkPage } from './check.ts';
import { beginCertificate } from './commands.ts';
import { judge } from './judge.ts';
import { type CompletenessDeps, prepareReading, type Progress, type Reading } from './reading.ts';
import { repairSome } from './sweeping/repair.ts';
import { decideWork } from './rules.ts';
import { type Ending, schedule, standingOf } from './schedule.ts';
import { findOpenCertificate, findWaitingCertificate, removeCertificates } from './store.ts';
import { sweepPage } from './sweeping/sweep.ts';
import type { Certificate } from './tables.ts';

const POLL_MS = 250;
const BATCH = 4;
/** By the service's clock; every piece of work is shorter, and doing one twice does no harm. */
const LEASE_MS = 120_000;

/** Tracks objects: first scans, sweeps, comparisons and repairs, for ever, shared by all replicas. */
export function startCompletenessWorker(deps: CompletenessDeps): {
  wake: () => void;
  stop: () => Promise<void>;
} {
  const stopping = new AbortController();
  const latch = createLatch(POLL_MS, stopping.signal);
  const finished = (async () => {
    await sweepAfterStart(deps);
    while (!stopping.signal.aborted) {
      const done = await workDue(deps).catch((error: unknown) => {
        deps.log.error({ err: error }, 'records not tracked');
        return 0;
      });
      if (done === 0) await latch.wait();
    }
  })();
  return {
    wake: latch.set,
    stop: async () => {
      stopping.abort();
      await finished;
    },
  };
}

/** A pause in which deliveries may have been lost: nobody was there to take them. */
const PAUSE_MS = 60_000;

async function sweepAfterStart({ db, now, log }: CompletenessDeps): Promise<void> {
  const before = new Date(now().getTime() - PAUSE_MS);
  await acrossWorkspaces(db, (tx) => setSweepsDue(tx, { before, now: now() })).catch(
    (error: unknown) => log.warn({ err: error }, 'sweeps not brought forward'),
  );
}

/** Does one piece of work for each object that has some; returns for how many. */
export async function workDue(deps: CompletenessDeps): Promise<number> {
  const now = deps.now();
  const until = new Date(now.getTime() + LEASE_MS);
  const due = await acrossWorkspaces(deps.db, (tx) =>
    leaseRegistries(tx, { now, until, limit: BATCH }),
  );
  await Promise.all(
    due.map(async (registry) => {
      const ending = await workOn(deps, registry).catch(
        (error: unknown): Ending => ({ next: 'threw', error }),
      );
      await schedule(deps, registry, ending);
    }),
  );
  return due.length;
}

async function workOn(deps: CompletenessDeps, leased: RecordRegistry): Promise<Progress> {
  const now = deps.now();
  const { workspace_id: workspaceId } = leased;
  const { registry, certificate, waiting, connection } = await withWorkspace(
    deps.db,
    workspaceId,
    async (tx) => {
      const settled = await settleNeeds(tx, leased);
      return {
        registry: settled,
        certificate: await findOpenCertificate(tx, leased),
        waiting: await findWaitingCertificate(tx, leased),
        connection: settled && (await findConnection(tx, settled.connection_id)),
      };
    },
  );
  const standing = standingOf({ registry: registry ?? leased, certificate, waiting, now });
  const work = decideWork({ ...standing, isNeeded: registry !== undefined });
  if (work === 'release' || registry === undefined) {
    await withWorkspace(deps.db, workspaceId, (tx) => removeCertificates(tx, leased));
    return releaseRecords(deps.db, leased);
  }
  // nothing runs while its connection is switched off or has to be connected again
  if (connection === undefined) return { next: 'waits', reason: 'connection_missing' };
  const access = decideAccess(connection);
  if (access.outcome === 'refuse') return { next: 'waits', reason: access.reason };
  if (work === 'rest') return { next: 'rest' };
  const feature = work === 'sweep' ? 'sweeps' : 'certificates';
  const reading = await prepareReading(deps, registry, { connection, feature });
  if (work === 'sweep') return sweepPage(deps, reading);
  if (certificate === undefined || work === 'verify') {
    // one that waited begins as it was asked for
    const repairs = waiting?.repairs ?? true;
    await withWorkspace(deps.db, workspaceId, (tx) =>
      beginCertificate(tx, registry, { asker: ownOrigin(registry), repairs, now }),
    );
    return { next: 'more' };
  }
  return goOn(deps, reading, certificate);
}

/** The next part of a comparison that is open. */
function goOn(
  deps: CompletenessDeps,
  reading: Reading,
  certificate: Certificate,
): Promise<Progress> {
  if (certificate.state === 'REPAIRING') return repairSome(deps, reading, certificate);
  if (!seesAsMuch(sightOf(reading.connection), certificate.sight)) {
    // what another saw before would look gone
    return beginAgain(deps, certificate, { outcome: 'unavailable', cause: 'reader_sees_less' });
  }
  if (certificate.is_read) return judge(deps, reading, certificate);
  return checkPage(deps, reading, certificate);
}

const ownOrigin = ({ workspace_id, company_id, object }: RecordRegistry) => ({
  workspaceId: workspace_id,
  actor: { kind: 'service', id: 'connections' } as const,
  correlationId: `${company_id}-${object}`.slice(0, 64),
});
