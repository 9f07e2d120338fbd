import type { CertificateState, Gap } from './tables.ts';

/** Records a page of Pipedrive holds at most. */
export const PAGE = 500;
/** Gaps one certificate follows up; what is beyond is found by the next. */
export const MOST_GAPS = 20_000;
/** Deliveries come within seconds; what is younger than this is not missing yet. */
export const DELIVERY_GRACE_MS = 30_000;

export interface Version {
  id: string;
  time: Date;
}

/** A gap, whatever certificate found it. */
export type DifferingGap = Pick<Gap, 'pipedrive_id' | 'kind' | 'pipedrive_time' | 'known_time'>;

interface Known {
  pipedrive_id: string;
  update_time: Date | null;
  deleted: boolean;
}

/** How a page of Pipedrive's differs from what consumers were told, record by record. */
export function findGaps(theirs: readonly Version[], known: readonly Known[]): DifferingGap[] {
  const byId = new Map(known.map((record) => [record.pipedrive_id, record]));
  return theirs.flatMap(({ id, time }): DifferingGap[] => {
    const ours = byId.get(id);
    const gap = { pipedrive_id: id, pipedrive_time: time };
    if (ours === undefined || ours.deleted) return [{ ...gap, kind: 'missing', known_time: null }];
    return isOlder(ours.update_time, time)
      ? [{ ...gap, kind: 'stale', known_time: ours.update_time }]
      : [];
  });
}

const isOlder = (ours: Date | null, theirs: Date): boolean =>
  ours === null || Math.floor(ours.getTime() / 1000) < Math.floor(theirs.getTime() / 1000);

/** Whether what differed when it was read still does, now that deliveries under way have come. */
export function isStillGap(gap: DifferingGap, known: Known | undefined): boolean {
  if (gap.kind === 'extra') return known !== undefined && !known.deleted;
  // deleted since: whoever told of that was told of no less than this
  if (known !== undefined && gap.kind === 'stale' && known.deleted) return false;
  if (known === undefined || known.deleted) return true;
  return gap.pipedrive_time !== null && isOlder(known.update_time, gap.pipedrive_time);
}

export const isOpen = (state: CertificateState): boolean =>
  state === 'WAITING' || state === 'CHECKING' || state === 'REPAIRING';

/** Whether a comparison that runs serves somebody who asks now: only while it has read nothing yet. */
export const mayJoin = (
  running: { state: CertificateState; as_of: Date | null } | undefined,
): boolean => running?.state === 'CHECKING' && running.as_of === null;

/** How a comparison ends, once it is judged. */
export function decideVerdict(of: {
  isBaseline: boolean;
  gaps: number;
  repairs: boolean;
}): CertificateState {
  if (of.isBaseline) return 'BASELINE';
  if (of.gaps === 0) return 'CLEAN';
  return of.repairs ? 'REPAIRING' : 'GAPS';
}

export type Work = 'check' | 'sweep' | 'verify' | 'release' | 'rest';

/** How an object stands. */
export interface Standing {
  isNeeded: boolean;
  /** What was kept goes first, whoever needs it by now. */
  isReleasing: boolean;
  hasOpenCertificate: boolean;
  /** One was asked for while another ran. */
  hasWaitingCertificate: boolean;
  judgeAt: Date | null;
  isBuilt: boolean;
  sweepAt: Date;
  verifyAt: Date;
  now: Date;
}

/** What to do for an object next. */
export function decideWork(of: Standing): Work {
  if (!of.isNeeded || of.isReleasing) return 'release';
  const mayCheck = of.hasOpenCertificate && (of.judgeAt === null || of.judgeAt <= of.now);
  if (mayCheck) return 'check';
  const mayBegin = of.hasWaitingCertificate || !of.isBuilt || of.verifyAt <= of.now;
  if (!of.hasOpenCertificate && mayBegin) return 'verify';
  // the first scan comes before the first sweep: until then there is nothing to begin at
  return of.isBuilt && of.sweepAt <= of.now ? 'sweep' : 'rest';
}

/** When there is something to do next: now, or at the earliest of its times. */
export function nextDue(of: Standing, restMs: number): Date {
  if (decideWork(of) !== 'rest') return of.now;
  const times = [of.judgeAt, of.sweepAt, of.verifyAt].flatMap((time) =>
    time !== null && time > of.now ? [time.getTime()] : [],
  );
  return new Date(Math.min(of.now.getTime() + restMs, ...times));
}

const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 15 * 60_000;

export const retryDelayMs = (failures: number): number =>
  Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 12));
