import type { FieldValue, PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import {
  mergeOperations,
  type OperationName,
  type Outcome,
  recordOperations,
  toRequestBody,
} from '@manifold/pipedrive';
import { claimLinks } from '../../links/store.ts';
import { type Images, sealSent } from '../body.ts';
import { fieldsOfNew } from '../diff/rules.ts';
import { isMergeable } from '../identity/rules.ts';
import { imagesOf } from '../images/keeping.ts';
import { heldBefore } from '../images/rules.ts';
import type { StepEffect } from '../tables.ts';
import { handleFailure } from './failure.ts';
import { forgetRecord } from './gone.ts';
import { type Held, linkKeysOf, type SendingDeps } from './held.ts';
import { forgetMark, type Mark, markOf } from './mark.ts';
import { objectOf } from './resolve.ts';
import { endStep, postpone, settleLater } from './settle.ts';
import { changeHeldStep } from './store.ts';
import { endUnwritable } from './unwritable.ts';

type Fields = Record<string, FieldValue>;

/** Makes the record, marked where that is possible so that it can be told from any other. */
export async function sendCreate(deps: SendingDeps, held: Held, fields: Fields): Promise<void> {
  const mark = await markOf(deps, held);
  const all = fieldsOfNew({ ...held.body, fields });
  const marked = mark === undefined ? all : { ...all, [mark.code]: mark.value };
  if (await endUnwritable(deps, held, { fields: marked })) return;
  const body = toRequestBody(held.step.object, marked);
  const { definitions } = held;
  await send(deps, held, {
    effect: 'created',
    operation: recordOperations[objectOf(held)].create,
    fields: marked,
    body,
    mark,
    call: () => held.client.createRecord(objectOf(held), { body, definitions }),
  });
}

/** Changes these fields of the record and no others. */
export async function sendUpdate(
  deps: SendingDeps,
  held: Held,
  change: { record: PipedriveRecord; fields: Fields },
): Promise<void> {
  if (await endUnwritable(deps, held, change)) return;
  const body = toRequestBody(held.step.object, change.fields, change.record);
  const { definitions } = held;
  await send(deps, held, {
    effect: 'updated',
    operation: recordOperations[objectOf(held)].update,
    fields: change.fields,
    body,
    targetId: change.record.id,
    images: { before: heldBefore(change.record, change.fields), after: change.fields },
    call: () => held.client.updateRecord(objectOf(held), change.record.id, { body, definitions }),
  });
}

/** Makes one record of two: `loser` disappears into `survivor`. There is no way back. */
export async function sendMerge(
  deps: SendingDeps,
  held: Held,
  { loser, survivor }: { loser: PipedriveRecord; survivor: PipedriveRecord },
): Promise<void> {
  const { object } = held.step;
  if (!isMergeable(object)) throw new Error(`Step ${held.step.id} merges two of ${object}`);
  const call = async (): Promise<Outcome<PipedriveRecord>> => {
    const ids = { loserId: loser.id, survivorId: survivor.id };
    const outcome = await held.client.mergeRecords(object, ids);
    // what the survivor holds now is not told in full
    return outcome.outcome === 'ok'
      ? { outcome: 'ok', data: { ...survivor, updateTime: null, fields: {} } }
      : outcome;
  };
  await send(deps, held, {
    effect: 'merged',
    operation: mergeOperations[object],
    fields: {},
    body: {},
    targetId: survivor.id,
    loserId: loser.id,
    call,
  });
}

export async function sendDelete(
  deps: SendingDeps,
  held: Held,
  record: PipedriveRecord,
): Promise<void> {
  const call = async (): Promise<Outcome<PipedriveRecord>> => {
    const outcome = await held.client.deleteRecord(objectOf(held), record.id);
    return outcome.outcome === 'ok'
      ? { outcome: 'ok', data: { ...record, deleted: true } }
      : outcome;
  };
  await send(deps, held, {
    effect: 'deleted',
    operation: recordOperations[objectOf(held)].remove,
    fields: {},
    body: {},
    targetId: record.id,
    call,
  });
}

interface Sending {
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

async function send(deps: SendingDeps, held: Held, sending: Sending): Promise<void> {
  const refused = await held.admit(sending.operation);
  if (refused !== undefined) {
    await handleFailure(deps, held, { failure: refused, effect: sending.effect });
    return;
  }
  const sent = await noteSending(deps, held, sending);
  if (sent === undefined) return;
  const outcome = await callOnce(sending);
  if (outcome === 'turned_away') {
    // no token, no connection: nothing left this process
    return postpone(deps, sent, {
      delayMs: 1_000,
      reason: 'connection_needs_reauth',
      counts: false,
      state: 'queued',
    });
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

/** Commits what is about to be sent before the first byte is. Undefined: the lease is gone. */
async function noteSending(
  deps: SendingDeps,
  held: Held,
  sending: Sending,
): Promise<Held | undefined> {
  const now = deps.now();
  const { fields, body, effect, mark } = sending;
  const change = {
    state: 'sending' as const,
    sealed_sent: sealSent(deps.vault, held.step, { fields, body, mark }),
    mark: mark?.value ?? null,
    loser_pipedrive_id: sending.loserId ?? null,
    sent_at: now,
    sent_effect: effect,
    pipedrive_id: sending.targetId ?? null,
    changed_keys: Object.keys(fields),
    echo_pipedrive_id: null,
  };
  const spent = held.takeSpent();
  const kept = await withWorkspace(deps.db, held.step.workspace_id, async (tx) => {
    const images = await imagesOf(deps.vault, tx, { step: held.step, images: sending.images, now });
    if (!(await changeHeldStep(tx, held.step, { ...change, ...images }, spent))) return false;
    if (effect === 'created')
      await claimLinks(tx, linkKeysOf(held.step), { stepId: held.step.id, now });
    return true;
  });
  return kept ? { ...held, step: { ...held.step, ...change } } : undefined;
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
