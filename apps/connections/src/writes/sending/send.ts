import type { FieldValue, PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type Outcome, toRequestBody } from '@manifold/pipedrive';
import { claimLinks, setLinksGone } from '../../links/store.ts';
import { sealSent } from '../body.ts';
import { fieldsOfNew } from '../diff/rules.ts';
import type { StepEffect } from '../tables.ts';
import { handleFailure } from './failure.ts';
import type { Held, SendingDeps } from './held.ts';
import { linkKeysOf, objectOf } from './resolve.ts';
import { endStep, postpone, settleLater } from './settle.ts';
import { changeHeldStep } from './store.ts';

type Fields = Record<string, FieldValue>;

/** Makes the record. A lead carries the step's id, so that it can be told from any other. */
export async function sendCreate(deps: SendingDeps, held: Held, fields: Fields): Promise<void> {
  const all = fieldsOfNew({ ...held.body, fields });
  const marked = held.step.object === 'lead' ? { ...all, origin_id: held.step.id } : all;
  const body = toRequestBody(held.step.object, marked);
  const { definitions } = held;
  await send(deps, held, {
    effect: 'created',
    fields: marked,
    body,
    call: () => held.client.createRecord(objectOf(held), { body, definitions }),
  });
}

/** Changes these fields of the record and no others. */
export async function sendUpdate(
  deps: SendingDeps,
  held: Held,
  change: { record: PipedriveRecord; fields: Fields },
): Promise<void> {
  const body = toRequestBody(held.step.object, change.fields);
  const { id } = change.record;
  const { definitions } = held;
  await send(deps, held, {
    effect: 'updated',
    fields: change.fields,
    body,
    targetId: id,
    call: () => held.client.updateRecord(objectOf(held), id, { body, definitions }),
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
  await send(deps, held, { effect: 'deleted', fields: {}, body: {}, targetId: record.id, call });
}

interface Sending {
  effect: Extract<StepEffect, 'created' | 'updated' | 'deleted'>;
  fields: Fields;
  body: Record<string, unknown>;
  targetId?: string;
  call: () => Promise<Outcome<PipedriveRecord>>;
}

async function send(deps: SendingDeps, held: Held, sending: Sending): Promise<void> {
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
  const { fields, body, effect } = sending;
  const change = {
    state: 'sending' as const,
    sealed_sent: sealSent(deps.vault, held.step, { fields, body }),
    sent_at: now,
    sent_effect: effect,
    pipedrive_id: sending.targetId ?? null,
    changed_keys: Object.keys(fields),
    echo_pipedrive_id: null,
  };
  const spent = held.takeSpent();
  const kept = await withWorkspace(deps.db, held.step.workspace_id, async (tx) => {
    if (!(await changeHeldStep(tx, held.step, change, spent))) return false;
    if (effect === 'created') await claimLinks(tx, linkKeysOf(held), { stepId: held.step.id, now });
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

/** Somebody deleted the record between our reading and our writing: start over without it. */
async function forgetRecord(deps: SendingDeps, held: Held, sending: Sending): Promise<void> {
  const { step } = held;
  if (sending.effect === 'deleted') {
    return endStep(deps, held, { state: 'no_change', reason: 'record_gone' });
  }
  const record = {
    companyId: step.company_id,
    object: step.object,
    pipedriveId: sending.targetId ?? '',
  };
  await withWorkspace(deps.db, step.workspace_id, (tx) => setLinksGone(tx, record, deps.now()));
  await postpone(deps, held, { delayMs: 0, reason: 'record_gone', counts: true, state: 'queued' });
}
