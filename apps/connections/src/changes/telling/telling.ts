import { ChangeSetProgressed, CloseChangeSet, type ReasonCode } from '@manifold/contracts';
import { publish } from '@manifold/messaging';
import type { Tx } from '../../store.ts';
import { countPending } from '../applying/store.ts';
import { shownState } from '../reading/listing.ts';
import { causeOf } from '../origin.ts';
import { type ChangeSet, findChangeSet } from '../store.ts';
import { isProgress, mayBeTold, type Told } from './rules.ts';

/** States as others know them. */
const State = CloseChangeSet.answer.shape.state;
const MOST_REMEMBERED = 1_000;

/** Says that a set moved on: nobody in particular did it, so no person's name stands under it. */
export async function tellProgress(
  tx: Tx,
  set: ChangeSet,
  news: { state?: ChangeSet['state']; left?: number; waitsFor?: ReasonCode; now: Date },
): Promise<void> {
  const { state = set.state, left, waitsFor, now } = news;
  await publish(tx, ChangeSetProgressed, {
    origin: {
      workspaceId: set.workspace_id,
      actor: { kind: 'service', id: 'connections' },
      correlationId: set.correlation_id,
    },
    key: set.id,
    payload: {
      changeSetId: set.id,
      connectionId: set.connection_id,
      cause: causeOf(set),
      state: State.parse(shownState(state)),
      total: set.change_count,
      ...(left === undefined ? {} : { left }),
      ...(waitsFor === undefined ? {} : { waitsFor }),
    },
    now,
  });
}

export type Teller = ReturnType<typeof createTeller>;

/** Tells of the sets this process works on, of each once a second at most. */
export function createTeller() {
  const told = new Map<string, Told>();
  const note = (id: string, now: Told) => {
    told.delete(id);
    told.set(id, now);
    const [oldest] = told.keys();
    if (told.size > MOST_REMEMBERED && oldest !== undefined) told.delete(oldest);
  };
  /** After a stretch of work, when there is more to do. */
  const tellWork = async (tx: Tx, set: ChangeSet, now: Date): Promise<void> => {
    const before = told.get(set.id);
    const at = now.getTime();
    if (!mayBeTold(before, at)) return;
    const left = await countLeft(tx, set);
    if (!isProgress(before, left)) return;
    await tellProgress(tx, set, { ...(left === undefined ? {} : { left }), now });
    note(set.id, { at, left });
  };
  /** When nothing is left to do; the first part of an approved set being through has no event of its own. */
  const tellRest = async (tx: Tx, set: ChangeSet, now: Date): Promise<void> => {
    told.delete(set.id);
    if (set.state !== 'applying') return;
    const after = await findChangeSet(tx, set.id);
    if (after?.state === 'awaiting_approval') await tellProgress(tx, after, { now });
  };
  return { tellWork, tellRest };
}

/** Undefined while a set is planned: each stretch of that is progress. */
async function countLeft(tx: Tx, set: ChangeSet): Promise<number | undefined> {
  if (set.state === 'planning') return undefined;
  const { resting, released } = await countPending(tx, set.id);
  return resting + released;
}
