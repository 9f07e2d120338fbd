import type { PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Failure } from '@manifold/pipedrive';
import { setLinks } from '../../links/store.ts';
import { isSent } from '../identity/rules.ts';
import { carryOut, parkSeveral } from './carry-out.ts';
import { handleFailure } from './failure.ts';
import type { Held, SendingDeps } from './held.ts';
import { linkKeysOf, objectOf, readRecord } from './resolve.ts';
import { decideVerified, listedSince, mayCreateAgain, type VerifyDecision } from './rules.ts';
import { endStep } from './settle.ts';

/** 500 records each: what a company changes within the settle time is far less. */
const MOST_PAGES = 40;

/** Finds out how a call ended that nobody heard the end of, and goes on from there. */
export async function verify(deps: SendingDeps, held: Held): Promise<void> {
  // an update or delete says what should be true: looking again and sending again is safe
  if (held.step.sent_effect !== 'created') return carryOut(deps, requeued(held));
  const looked = await lookFor(held);
  if (looked.decision === 'failed') {
    const { failure } = looked;
    await handleFailure(deps, held, { failure, effect: undefined });
    return;
  }
  switch (looked.decision) {
    case 'ours':
      return endStep(deps, held, {
        state: 'applied',
        effect: 'created',
        record: looked.record,
        changedKeys: held.step.changed_keys,
      });
    case 'existing':
      return goOnWith(deps, held, looked.record);
    case 'several':
      return parkSeveral(deps, held, looked.candidates);
    case 'absent':
      return createAgain(deps, held);
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

/** First the record a webhook showed, then everything changed since just before the call. */
async function lookFor(
  held: Held,
): Promise<VerifyDecision | { decision: 'too_many' } | { decision: 'failed'; failure: Failure }> {
  const { step } = held;
  const sentAt = step.sent_at ?? step.created_at;
  if (step.echo_pipedrive_id !== null) {
    const read = await readRecord(held, step.echo_pipedrive_id);
    if (read.outcome === 'failed') return { decision: 'failed', failure: read.failure };
    if (read.outcome === 'found') return { decision: 'ours', record: read.record };
  }
  const listed = await listMatches(held, sentAt);
  if (listed === 'too_many') return { decision: 'too_many' };
  if ('failure' in listed) return { decision: 'failed', failure: listed.failure };
  return decideVerified(listed.matches, sentAt);
}

async function listMatches(
  held: Held,
  sentAt: Date,
): Promise<{ matches: PipedriveRecord[] } | { failure: Failure } | 'too_many'> {
  const matches: PipedriveRecord[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const outcome = await held.client.listRecords(objectOf(held), {
      updatedSince: listedSince(sentAt),
      definitions: held.definitions,
      cursor,
    });
    if (outcome.outcome !== 'ok') return { failure: outcome };
    matches.push(...outcome.data.filter((record) => isOurs(held, record)));
    cursor = outcome.nextCursor;
    if (cursor === undefined) return { matches };
  }
  // not an absence, and asking again would spend the day's tokens on it
  return 'too_many';
}

function isOurs(held: Held, record: PipedriveRecord): boolean {
  const { step, body, sent } = held;
  const fields = sent?.fields ?? body.fields;
  return isSent(record, { stepId: step.id, identity: body.identity, fields });
}

/** The identity exists, made by somebody else: the step goes on as for any existing record. */
async function goOnWith(deps: SendingDeps, held: Held, record: PipedriveRecord): Promise<void> {
  await withWorkspace(deps.db, held.step.workspace_id, (tx) =>
    setLinks(tx, linkKeysOf(held), { pipedriveId: record.id, now: deps.now() }),
  );
  await carryOut(deps, requeued(held));
}

async function createAgain(deps: SendingDeps, held: Held): Promise<void> {
  if (mayCreateAgain(held.step.unknown_creates)) return carryOut(deps, requeued(held));
  await endStep(deps, held, {
    state: 'parked',
    reason: 'outcome_unknown',
    cause: 'Pipedrive twice gave no answer to the create, and no such record has appeared.',
    fix: 'Look for the record in Pipedrive; when it is not there, use redrive.',
  });
}
