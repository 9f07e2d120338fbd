import { ChangeId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Db } from '../../store.ts';
import type { Step, WriteRequest } from '../../writes/store.ts';
import { MOST_CHANGES } from '../rules.ts';
import { findChangeSet, growChangeSet } from '../store.ts';
import type { Change } from './store.ts';

/** The change that a step takes back. */
export type Undoes = Pick<Change, 'id'>;

/** Gives each step of a request of a change set its change, still to be planned. */
export async function joinChangeSet(
  tx: Db,
  { request, steps, undoes }: { request: WriteRequest; steps: Step[]; undoes?: Undoes | undefined },
): Promise<Change[]> {
  const setId = request.change_set_id;
  if (setId === null) return [];
  const states = undoes === undefined ? (['open'] as const) : (['planning'] as const);
  const grown = await growChangeSet(tx, setId, { by: steps.length, most: MOST_CHANGES, states });
  if (!grown) throw await whyNot(tx, setId);
  const set = await findChangeSet(tx, setId);
  if (set?.company_id !== request.company_id) throw otherCompany();
  return steps.map((step) => {
    const id = newId('ch', ChangeId);
    step.change_id = id;
    return changeOf(step, { id, setId, undoes });
  });
}

const changeOf = (
  step: Step,
  of: { id: ChangeId; setId: Change['change_set_id']; undoes: Undoes | undefined },
): Change => ({
  workspace_id: step.workspace_id,
  id: of.id,
  change_set_id: of.setId,
  write_request_id: step.write_request_id,
  write_step_id: step.id,
  undoes_change_id: of.undoes?.id ?? null,
  object: step.object,
  effect: null,
  matched_by: null,
  pipedrive_id: null,
  reason: null,
  planned_cause: null,
  planned_fix: null,
  changed_keys: [],
  kept_keys: [],
  candidates: [],
  record_update_time: null,
  sealed_before: null,
  sealed_after: null,
  after_hash: null,
  price_tokens: 0,
  checked_at: null,
});

async function whyNot(tx: Db, setId: Change['change_set_id']): Promise<Refusal> {
  const set = await findChangeSet(tx, setId);
  if (set === undefined) {
    return new Refusal('precondition', `There is no change set ${setId}`, {
      reason: 'record_not_found',
      field: 'changeSetId',
    });
  }
  if (set.state !== 'open') {
    return new Refusal('precondition', `Change set ${setId} takes no more writes`, {
      reason: 'change_set_not_open',
      field: 'changeSetId',
      fix: 'Open another change set for what is to be added.',
    });
  }
  return new Refusal('invalid', `A change set holds at most ${MOST_CHANGES} changes`, {
    reason: 'too_many_items',
    field: 'changeSetId',
    fix: 'Divide the job among several change sets.',
  });
}

const otherCompany = () =>
  new Refusal('invalid', 'The change set belongs to another Pipedrive company', {
    reason: 'company_mismatch',
    field: 'connectionId',
    fix: 'Use the connection the change set was opened with.',
  });
