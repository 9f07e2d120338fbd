import type { FieldDefinition, PipedriveRecord } from '@manifold/contracts';
import type { Failure, PipedriveClient, RecordObject } from '@manifold/pipedrive';
import { findEchoed, withoutThoseOfOthers } from '../alike/alike.ts';
import { carryOut, endFound, fieldsOf } from '../carry-out.ts';
import { createChangeLists, type Listed } from '../resolving/change-lists.ts';
import { handleFailure } from '../ending/failure.ts';
import type { Held, SendingDeps } from '../held.ts';
import { objectOf, readRecord } from '../resolving/resolve.ts';
import { decideVerified, listedSince, mayCreateAgain, type VerifyDecision } from '../rules.ts';
import { sendCreate } from '../send.ts';
import { endStep, postpone } from '../ending/settle.ts';
import { endUnresolved, parkSeveral } from '../resolving/unresolved.ts';

/** 500 records each: what a company changes within the settle time is far less. */
const MOST_PAGES = 40;

/** Answers usually come within that; looked at again after it. */
const ANSWER_MS = 1_000;

/** Finds out how a call ended that nobody heard the end of, and goes on from there. */
export async function verify(deps: SendingDeps, held: Held): Promise<void> {
  // an update, merge or delete says what should be true: looking again and sending again is safe
  if (held.step.sent_effect !== 'created') return carryOut(deps, requeued(held));
  const looked = await lookFor(deps, held);
  switch (looked.decision) {
    case 'failed': {
      const { failure } = looked;
      await handleFailure(deps, held, { failure, effect: undefined });
      return;
    }
    case 'ours':
      return endStep(deps, held, {
        state: 'applied',
        effect: 'created',
        record: looked.record,
        changedKeys: held.step.changed_keys,
      });
    case 'ours_gone':
      return endStep(deps, held, {
        state: 'applied',
        effect: 'created',
        reason: 'record_gone',
        record: { id: looked.id, updateTime: null, isGone: true },
        changedKeys: held.step.changed_keys,
      });
    case 'existing':
      return goOnWith(deps, held, looked.record.id);
    case 'several':
      return parkSeveral(deps, held, looked.candidates);
    case 'unclear':
      return parkUnclear(deps, held, looked.candidates);
    case 'absent':
      return createAgain(deps, held);
    case 'too_early': {
      const delayMs = looked.until.getTime() - deps.now().getTime();
      const pause = { reason: 'outcome_unknown', counts: false, state: 'unknown' } as const;
      return postpone(deps, held, { delayMs, ...pause });
    }
    case 'too_many':
      return endStep(deps, held, {
        state: 'parked',
        reason: 'outcome_unknown',
        cause:
          'Since the create more records have changed in Pipedrive than can be looked through.',
        fix: 'Look for the record in Pipedrive; when it is not there, cancel this write and ask for it anew.',
      });
  }
}

const requeued = (held: Held): Held => ({ ...held, step: { ...held.step, state: 'queued' } });

type Looked =
  | VerifyDecision
  | { decision: 'too_many' }
  /** It may still be carried out: an absence now would say nothing. */
  | { decision: 'too_early'; until: Date }
  | { decision: 'failed'; failure: Failure };

/** First the record a webhook showed, then everything changed since just before the call. */
async function lookFor(deps: SendingDeps, held: Held): Promise<Looked> {
  const { step, body, sent } = held;
  const sentAt = step.sent_at ?? step.created_at;
  const echoed = await findEchoed(deps, held);
  if (echoed !== undefined) {
    const read = await readRecord(held, echoed);
    if (read.outcome === 'failed') return { decision: 'failed', failure: read.failure };
    if (read.outcome === 'found') return { decision: 'ours', record: read.record };
    return { decision: 'ours_gone', id: echoed };
  }
  const until = step.settle_until;
  if (step.echo_pipedrive_id !== null && until !== null && deps.now() < until) {
    return { decision: 'too_early', until };
  }
  const listed = await listChanges(deps, held, sentAt);
  if (listed.outcome === 'too_many') return { decision: 'too_many' };
  if (listed.outcome === 'failed') return { decision: 'failed', failure: listed.failure };
  const create = {
    sentAt,
    stepId: step.id,
    identity: body.identity,
    fields: sent?.fields ?? body.fields,
    mark: sent?.mark,
  };
  const { records } = listed;
  const possible = await withoutThoseOfOthers(deps, held, { records, sent: create });
  return possible === undefined
    ? { decision: 'too_early', until: new Date(deps.now().getTime() + ANSWER_MS) }
    : decideVerified(possible, create);
}

/** One list for all steps of a connection and object whose settle time is over. */
function listChanges(deps: SendingDeps, held: Held, sentAt: Date): Promise<Listed> {
  const { step, client, definitions } = held;
  const lists = deps.lists ?? createChangeLists(deps.now);
  const need = {
    key: `${step.connection_id}|${step.object}`,
    notBefore: step.settle_until ?? step.not_before,
    since: listedSince(sentAt),
  };
  const object = objectOf(held);
  return lists.read(need, (since) => readChanges(client, { object, since, definitions }));
}

async function readChanges(
  client: PipedriveClient,
  wanted: { object: RecordObject; since: Date; definitions: readonly FieldDefinition[] },
): Promise<Listed> {
  const { object, since: updatedSince, definitions } = wanted;
  const records: PipedriveRecord[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const outcome = await client.listRecords(object, { updatedSince, definitions, cursor });
    if (outcome.outcome !== 'ok') return { outcome: 'failed', failure: outcome };
    records.push(...outcome.data.map(withoutBlanks));
    cursor = outcome.nextCursor;
    if (cursor === undefined) return { outcome: 'ok', records };
  }
  // not an absence, and asking again would spend the day's tokens on it
  return { outcome: 'too_many' };
}

/** Most custom fields of a record are empty, and an absent one counts the same here. */
const withoutBlanks = (record: PipedriveRecord): PipedriveRecord => ({
  ...record,
  fields: Object.fromEntries(Object.entries(record.fields).filter(([, value]) => value !== null)),
});

/** The identity exists, made by somebody else: the step goes on as for any existing record. */
async function goOnWith(deps: SendingDeps, held: Held, id: string): Promise<void> {
  // the list may be half a minute old
  const read = await readRecord(held, id);
  if (await endUnresolved(deps, held, read)) return;
  if (read.outcome === 'found' && held.step.change_id !== null) {
    // a create was approved, not a change of this record
    const { record } = read;
    return endStep(deps, held, { state: 'skipped', reason: 'record_drifted', record });
  }
  return read.outcome === 'found'
    ? endFound(deps, requeued(held), { fields: fieldsOf(held), record: read.record })
    : createAgain(deps, held);
}

/** The list was as good as a search, and newer. */
async function createAgain(deps: SendingDeps, held: Held): Promise<void> {
  if (mayCreateAgain(held.step.unknown_creates)) {
    return sendCreate(deps, requeued(held), fieldsOf(held));
  }
  await endStep(deps, held, {
    state: 'parked',
    reason: 'outcome_unknown',
    cause:
      'Pipedrive gave no answer to the create each time it was tried, and no such record has appeared.',
    fix: 'Look for the record in Pipedrive; when it is not there, use redrive.',
  });
}

const parkUnclear = (deps: SendingDeps, held: Held, candidates: string[]): Promise<void> =>
  endStep(deps, held, {
    state: 'parked',
    reason: 'outcome_unknown',
    cause:
      'Pipedrive gave no answer to the create, and new records at the same place look like it.',
    fix: 'Look at the candidates in Pipedrive: cancel this write when one of them is it, else use redrive.',
    candidates,
  });
