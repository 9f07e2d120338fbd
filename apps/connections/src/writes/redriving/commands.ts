import { WriteStepId } from '@manifold/contracts';
import { createOnce, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import { requireOwn } from '../../accounts/ownership/rules.ts';
import { findConnection } from '../../accounts/store.ts';
import { decideLettingGo, type LettingGo } from '../../changes/applying/rules.ts';
import { lockChangeSet } from '../../changes/store.ts';
import type { Db, Tx } from '../../store.ts';
import { askedBy } from '../askers/rules.ts';
import { publishRedriven, queueStep } from '../progress.ts';
import { decideRedrive } from '../rules.ts';
import { changeIdleStep } from '../sending/store.ts';
import { countSteps, listParkedSteps, type StepFilter } from '../steps/store.ts';
import { findRequest, findStep, lockRequest, setRequestState, type Step } from '../store.ts';

interface Asked {
  asker: Origin;
  /** Through the connection of another person nothing is sent again for them. */
  userId: string;
}

/** Sends a parked step again; one that is not parked stays as it is. Undefined when there is none. */
export async function redriveStep(
  db: Db,
  asked: Asked & { stepId: WriteStepId; idempotencyKey: string | undefined },
  now: Date,
): Promise<Step | undefined> {
  const { asker, userId, stepId, idempotencyKey: key } = asked;
  const { workspaceId } = asker;
  return withWorkspace(db, workspaceId, async (tx) => {
    const step = await findStep(tx, stepId);
    if (!step) return undefined;
    const connection = await findConnection(tx, step.connection_id);
    if (connection) requireOwn(connection, userId, 'input.writeStepId');
    const call = { workspaceId, operation: 'redrive', key, input: { stepId }, now };
    await createOnce(tx, { ...call, parseId: (id) => WriteStepId.parse(id) }, async () => {
      const redriven = await redriveUnder(tx, step, { asker, now });
      if (redriven.outcome === 'refuse') throw stopped(stepId, redriven);
      return stepId;
    });
    return findStep(tx, stepId);
  });
}

const stopped = (id: WriteStepId, { because, fix }: Extract<LettingGo, { outcome: 'refuse' }>) =>
  new Refusal('precondition', `Step ${id} stays parked: ${because}`, {
    reason: 'change_set_not_ready',
    field: 'input.writeStepId',
    fix,
  });

async function redriveUnder(
  tx: Tx,
  named: Step,
  { asker, now }: { asker: Origin; now: Date },
): Promise<LettingGo | { outcome: 'not_parked' }> {
  const letting = await decideUnderSet(tx, named);
  const request = await lockRequest(tx, named.write_request_id);
  const step = await findStep(tx, named.id);
  if (!request || step?.state !== 'parked') return { outcome: 'not_parked' };
  if (letting.outcome === 'refuse') return letting;
  await queueStep(tx, step, now);
  await changeIdleStep(tx, step.id, {
    ...decideRedrive(step, now),
    attempts: 0,
    reason: null,
    cause: null,
    fix: null,
    candidates: [],
    settled_at: null,
  });
  await setRequestState(tx, request.id, { state: 'pending', reason: null, settled_at: null });
  await publishRedriven(tx, { request: askedBy(request, asker), step, now });
  return letting;
}

/** The set is held before its request, as when it is paused: nothing slips through as that happens. */
async function decideUnderSet(tx: Tx, step: Step): Promise<LettingGo> {
  const request = await findRequest(tx, step.write_request_id);
  const setId = request?.change_set_id ?? undefined;
  const set = setId === undefined ? undefined : await lockChangeSet(tx, setId);
  return set === undefined ? { outcome: 'go' } : decideLettingGo(set.state);
}

const MOST_REDRIVEN = 500;
const REDRIVEN_AT_ONCE = 50;

export interface Redriven {
  redriven: number;
  /** Of those that may be sent. */
  remaining: number;
  /** Left out: somebody stopped their change set, or they go through another person's own connection. */
  heldBack: number;
}

/** Sends parked steps again, a bounded number; says how many more there are, and how many may not be sent. */
export async function redriveMany(
  db: Db,
  { asker, userId, filter }: Asked & { filter: StepFilter },
  now: Date,
): Promise<Redriven> {
  const { workspaceId } = asker;
  const parked = { ...filter, states: ['parked'] } as const;
  const sendable = { ...parked, isStopped: false, usableBy: userId } as const;
  let redriven = 0;
  while (redriven < MOST_REDRIVEN) {
    const steps = await withWorkspace(db, workspaceId, (tx) =>
      listParkedSteps(tx, sendable, REDRIVEN_AT_ONCE),
    );
    for (const step of steps) {
      // each on its own: nobody holds the lines of one record while waiting for those of another
      const { outcome } = await withWorkspace(db, workspaceId, (tx) =>
        redriveUnder(tx, step, { asker, now }),
      );
      if (outcome === 'go') redriven += 1;
    }
    if (steps.length < REDRIVEN_AT_ONCE) break;
  }
  return withWorkspace(db, workspaceId, async (tx) => {
    const remaining = await countSteps(tx, sendable);
    return { redriven, remaining, heldBack: (await countSteps(tx, parked)) - remaining };
  });
}
