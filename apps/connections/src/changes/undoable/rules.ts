import type { ReasonCode } from '@manifold/contracts';
import { hasEnded } from '../rules.ts';
import type { ChangeTally } from '../rows/store.ts';
import type { ChangeSet } from '../store.ts';

export type Undoable =
  | { outcome: 'yes' }
  | { outcome: 'no'; reason: ReasonCode; because: string; fix: string };

/** A set that ended, as far as it tells whether it can be undone. */
export type Ended = Pick<ChangeSet, 'state' | 'ended_at' | 'image_days' | 'images_until'>;

export interface Surroundings {
  tallies: readonly Pick<ChangeTally, 'effect' | 'step_state' | 'count'>[];
  /** Sets that take this one back. */
  undos: readonly Pick<ChangeSet, 'id' | 'state'>[];
  /** The connection it was written through still exists. */
  isConnected: boolean;
}

/** Whether anything of a set can be taken back, and if not, why and what a person can do. */
export function decideUndoable(set: Ended, around: Surroundings, now: Date): Undoable {
  if (!hasEnded(set.state) || set.ended_at === null) {
    return no('change_set_not_ready', 'it has not ended', 'Cancel it, or wait until it is done.');
  }
  if (!around.isConnected) {
    return no(
      'connection_missing',
      'its connection was removed',
      'Connect the company again, and plan a new change set with the values it should have.',
    );
  }
  const live = around.undos.find(({ state }) => !hasEnded(state) || state === 'cancelling');
  if (live !== undefined) {
    return no(
      'change_set_not_ready',
      `change set ${live.id} is undoing it`,
      `Go on with ${live.id}, or cancel it first.`,
    );
  }
  return decideRows(around) ?? decideImages(set, now) ?? { outcome: 'yes' };
}

function decideRows({ tallies }: Surroundings): Undoable | undefined {
  const written = tallies.filter(
    ({ step_state, effect }) => step_state === 'applied' && effect !== 'none' && effect !== 'link',
  );
  if (written.length === 0) {
    return no('nothing_to_change', 'it has written nothing', 'Nothing needs to be done.');
  }
  if (written.some(({ effect }) => effect === 'create' || effect === 'update')) return undefined;
  return no(
    'irreversible',
    'it has only deleted or joined records, which Pipedrive cannot take back',
    'Restore deleted records by hand in Pipedrive, which keeps them for a while.',
  );
}

function decideImages({ image_days, images_until }: Ended, now: Date): Undoable | undefined {
  if (images_until !== null && images_until > now) return undefined;
  return image_days === 0
    ? no(
        'undo_not_available',
        'the workspace keeps no values from before',
        'For change sets to come, have them kept with imageDays of the mutation setWritePolicy.',
      )
    : no(
        'undo_not_available',
        'the values before it are no longer kept',
        'Plan a new change set with the values it should have.',
      );
}

const no = (reason: ReasonCode, because: string, fix: string): Undoable => ({
  outcome: 'no',
  reason,
  because,
  fix,
});
