import { setTimeout as sleep } from 'node:timers/promises';
import type { FieldValue, PipedriveRecord, ReasonCode } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { Failure, OperationName, Outcome } from '@manifold/pipedrive';
import { claimLinks } from '../../../links/store.ts';
import { type Images, sealSent } from '../../body.ts';
import { hashesOfSent } from '../../echoes/hashes.ts';
import { imagesOf } from '../../images/keeping.ts';
import type { StepEffect } from '../../tables.ts';
import { handleFailure } from '../ending/failure.ts';
import { forgetRecord } from '../resolving/gone.ts';
import { type Held, linkKeysOf, type SendingDeps, withHeld } from '../held.ts';
import { forgetMark, type Mark } from '../doubt/mark.ts';
import { endStep, postpone, settleLater } from '../ending/settle.ts';
import { changeHeldStep } from '../store.ts';
import { lineUpForRecords } from '../turns/store.ts';
import { waitForRecord } from '../turns/waiting.ts';
import { isTooLate } from './rules.ts';

type Fields = Record<string, FieldValue>;

/** A call that writes. */
export interface Sending {
  effect: Extract<StepEffect, 'created' | 'updated' | 'merged' | 'deleted'>;
  operation: OperationName;
  fields: Fields;
  body: Record<string, unknown>;
  targetId?: string;
  /** Of a merge. */
  loserId?: string;
  /** Of a create. */
  mark?: Mark | undefined;
  /** Of an update. */
  images?: Images;
  call: () => Promise<Outcome<PipedriveRecord>>;
}

/** Makes one call that writes, noted before it leaves, and deals with how it ended. */
export async function send(deps: SendingDeps, held: Held, sending: Sending): Promise<void> {
  const refused = await admitSoon(held, sending.operation);
  if (refused !== undefined) {
    await handleFailure(deps, held, { failure: refused, effect: sending.effect });
    return;
  }
  try {
    await sendAdmitted(deps, held, sending);
  } finally {
    // of a call that was not made after all
    await held.giveBack();
  }
}

/** A window of calls lasts two seconds. */
const LONGEST_WAIT_MS = 2_500;
const MOST_WAITS = 2;

/** Waits for room in the window: put back, the step would look at its record again and take the room of others. */
async function admitSoon(held: Held, operation: OperationName): Promise<Failure | undefined> {
  for (let wait = 1; ; wait += 1) {
    const refused = await held.admit(operation);
    const isBrief = refused?.outcome === 'limited' && refused.retryAfterMs <= LONGEST_WAIT_MS;
    if (!isBrief || refused.kind === 'daily' || wait > MOST_WAITS) return refused;
    await sleep(Math.max(50, refused.retryAfterMs));
  }
}

async function sendAdmitted(deps: SendingDeps, held: Held, sending: Sending): Promise<void> {
  const sent = await noteSending(deps, held, sending);
  if (sent === 'lost') return;
  if (sent === 'waits') return waitForRecord(deps, held);
  if (isTooLate(sent.step.sent_at, deps.now())) return putBack(deps, sent, 'handler_failed');
  const outcome = await callOnce(sending);
  if (outcome === 'turned_away') {
    // no token, no connection: nothing left this process
    return putBack(deps, sent, 'connection_needs_reauth');
  }
  if (outcome.outcome === 'ok') {
    return endStep(deps, sent, {
      state: 'applied',
      effect: sending.effect,
      record: outcome.data,
      changedKeys: Object.keys(sending.fields),
    });
  }
  if (await forgetMark(deps, sent, { failure: outcome, mark: sending.mark })) return;
  const decision = await handleFailure(deps, sent, { failure: outcome, effect: sending.effect });
  if (decision === 'settle') return settleLater(deps, sent);
  if (decision === 'gone') return forgetRecord(deps, sent, sending);
}

/** For a call that was noted and not made: it is noted anew before the next try. */
const putBack = (deps: SendingDeps, sent: Held, reason: ReasonCode): Promise<void> =>
  postpone(deps, sent, { delayMs: 1_000, reason, counts: false, state: 'queued' });

/** Commits what is about to be sent before the first byte is. */
async function noteSending(
  deps: SendingDeps,
  held: Held,
  sending: Sending,
): Promise<Held | 'lost' | 'waits'> {
  const now = deps.now();
  const { fields, body, effect, mark } = sending;
  const change = {
    state: 'sending' as const,
    sealed_sent: sealSent(deps.vault, held.step, { fields, body, mark }),
    mark: mark?.value ?? null,
    loser_pipedrive_id: sending.loserId ?? null,
    sent_at: now,
    sent_effect: effect,
    sent_hashes: hashesOfSent(deps.vault, held.step, fields),
    pipedrive_id: sending.targetId ?? null,
    // of a merge it is the one that disappears
    ...(effect === 'merged' ? {} : { target_pipedrive_id: sending.targetId ?? null }),
    changed_keys: Object.keys(fields),
    echo_pipedrive_id: null,
  };
  const records = [sending.targetId ?? [], sending.loserId ?? []].flat();
  const noted = await withHeld(deps, held, async (tx) => {
    // before the row: whoever lifts a line holds the line and then wants its rows
    if (await lineUpForRecords(tx, held.step, records)) return 'waits';
    const images = await imagesOf(deps.vault, tx, { step: held.step, images: sending.images, now });
    const noting = { ...change, ...images };
    if (!(await changeHeldStep(tx, held.step, noting, held.takeSpent()))) return 'lost';
    if (effect === 'created')
      await claimLinks(tx, linkKeysOf(held.step), { stepId: held.step.id, now });
    return 'noted';
  });
  return noted === 'noted' ? { ...held, step: { ...held.step, ...change } } : noted;
}

/** A refusal comes from our own side of the call; anything else that is thrown leaves the end open. */
async function callOnce(sending: Sending): Promise<Outcome<PipedriveRecord> | 'turned_away'> {
  try {
    return await sending.call();
  } catch (error) {
    if (error instanceof Refusal) return 'turned_away';
    return { outcome: 'unknown', cause: 'call_failed' };
  }
}
