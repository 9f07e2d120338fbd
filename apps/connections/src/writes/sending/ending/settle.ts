import type { ReasonCode } from '@manifold/contracts';
import { markCatalogueStale } from '../../../fields/store.ts';
import { removeClaims } from '../../../links/store.ts';
import type { Tx } from '../../../store.ts';
import type { Vault } from '../../../vault/seal.ts';
import { hashesOfAnswer } from '../../echoes/hashes.ts';
import { endCarried, lockJoined, returnCarried } from '../../carried/commands.ts';
import { advanceFrom, publishStep } from '../../progress.ts';
import { isTerminal } from '../../rules.ts';
import { findStep, listSteps, lockRequest } from '../../store.ts';
import { noteHashes, noteLinks } from './noting.ts';
import type { StepEnd } from './step-end.ts';
import { type Held, type SendingDeps, withHeld } from '../held.ts';
import { settleUntil, urlOf } from '../rules.ts';
import { keptSearched } from '../searched/searched.ts';
import { changeHeldStep, removeTurns } from '../store.ts';

/**
 * Ends a step, links its keys, tells of it and moves its request on, all or nothing. Does nothing
 * when the lease went to somebody else.
 */
export async function endStep(deps: SendingDeps, held: Held, end: StepEnd): Promise<void> {
  await withHeld(deps, held, async (tx) => {
    await endUnder(deps, tx, { held, end });
  });
}

/** The same under the caller's transaction; false when the lease went to somebody else. */
export async function endUnder(
  deps: SendingDeps,
  tx: Tx,
  { held, end }: { held: Held; end: StepEnd },
): Promise<boolean> {
  const { step } = held;
  const now = deps.now();
  const givesBack = end.state === 'skipped' && held.carriedCount > 0;
  if (givesBack) await lockJoined(tx, [step.write_request_id]);
  const request = await lockRequest(tx, step.write_request_id);
  const change = endOf(deps.vault, held, { end, now });
  if (!request || !(await changeHeldStep(tx, step, change, held.takeSpent()))) return false;
  if (end.state === 'skipped') await returnCarried(tx, step, now);
  const carries = step.change_id === null;
  if (carries && (end.state === 'applied' || end.state === 'no_change')) {
    await endCarried(tx, step);
  }
  await removeTurns(tx, step.id);
  // in this order, as where a webhook is followed
  await noteHashes(deps, tx, { held, end });
  await noteLinks(tx, held, { end, now });
  if (end.doubtfulField !== undefined) {
    await markCatalogueStale(tx, step.connection_id, step.object);
  }
  const steps = await listSteps(tx, [request.id]);
  const ended = steps.find(({ id }) => id === step.id);
  if (ended) await publishStep(tx, { request, step: ended, now });
  await advanceFrom(tx, request, { steps, now });
  return true;
}

const isInDoubt = (step: Held['step'], { reason }: StepEnd): boolean =>
  step.sent_effect === 'created' && (step.state === 'unknown' || reason === 'outcome_unknown');

function endOf(
  vault: Vault,
  { step, connection }: Held,
  { end, now }: { end: StepEnd; now: Date },
) {
  const id = end.record?.id ?? null;
  const url = id === null ? undefined : urlOf(connection.api_domain, { object: step.object, id });
  // a parked step may be sent again; a create in doubt is looked for first, whatever it is parked for
  const keepsSent = end.state === 'parked' && isInDoubt(step, end);
  return {
    state: end.state,
    effect: end.effect ?? 'none',
    reason: end.reason ?? null,
    cause: end.cause ?? null,
    fix: end.fix ?? null,
    pipedrive_id: id,
    target_pipedrive_id: id ?? step.target_pipedrive_id,
    pipedrive_url: url ?? null,
    record_update_time: end.record?.updateTime ?? null,
    changed_keys: [...(end.changedKeys ?? [])],
    candidates: [...(end.candidates ?? [])],
    lease_until: null,
    lease_owner: null,
    settle_until: null,
    echo_pipedrive_id: null,
    searched: null,
    settled_at: now,
    superseded_by: end.supersededBy ?? null,
    ...(isTerminal(end.state) && end.state !== 'superseded' ? { sealed_body: null } : {}),
    ...(keepsSent ? {} : { sealed_sent: null, sent_at: null, sent_effect: null, mark: null }),
    sent_hashes:
      end.effect === 'created' || end.effect === 'updated'
        ? hashesOfAnswer(vault, step, end.record?.fields ?? {})
        : keepsSent
          ? step.sent_hashes
          : null,
    // nothing was written, so nothing was written over
    ...(end.effect === 'updated'
      ? {}
      : { sealed_before: null, sealed_after: null, images_until: null }),
  };
}

/** Puts a step back: same place in its lines, not before a while. */
export async function postpone(
  deps: SendingDeps,
  held: Pick<Held, 'step'> & Partial<Pick<Held, 'takeSpent' | 'keepSpent' | 'searched'>>,
  pause: {
    delayMs: number;
    reason: ReasonCode | null;
    counts: boolean;
    state: 'queued' | 'unknown';
  },
): Promise<void> {
  const { step } = held;
  const change = {
    state: pause.state,
    not_before: new Date(deps.now().getTime() + pause.delayMs),
    reason: pause.reason,
    attempts: step.attempts + (pause.counts ? 1 : 0),
    ...(held.searched === undefined ? {} : { searched: keptSearched(held.searched) }),
    lease_until: null,
    lease_owner: null,
    // what was about to be sent was not
    ...(step.state === 'sending'
      ? { sealed_sent: null, sent_hashes: null, sent_at: null, sent_effect: null, mark: null }
      : {}),
  };
  await withHeld(deps, held, async (tx) => {
    const kept = await changeHeldStep(tx, step, change, held.takeSpent?.() ?? 0);
    if (kept && pause.state === 'queued') await removeClaims(tx, step.id);
  });
}

/** A call whose end is not known: nobody touches the record until the settle time is over. */
export async function settleLater(
  deps: SendingDeps,
  held: Pick<Held, 'step'> & Partial<Pick<Held, 'takeSpent' | 'keepSpent'>>,
): Promise<void> {
  const { step } = held;
  const sentAt = step.sent_at ?? deps.now();
  const until = settleUntil(sentAt, { settleMs: deps.settleMs, now: deps.now() });
  const isCreate = step.sent_effect === 'created';
  const change = {
    state: 'unknown' as const,
    reason: 'outcome_unknown' as const,
    attempts: step.attempts + 1,
    settle_until: until,
    not_before: until,
    unknown_creates: step.unknown_creates + (isCreate ? 1 : 0),
    lease_until: null,
    lease_owner: null,
  };
  await withHeld(deps, held, async (tx) => {
    if (!(await changeHeldStep(tx, step, change, held.takeSpent?.() ?? 0))) return;
    // read under the lock the change took: its webhook may have been here before the call ended
    const current = await findStep(tx, step.id);
    if (current?.echo_pipedrive_id == null) return;
    await changeHeldStep(tx, step, { not_before: deps.now() }, 0);
  });
}
