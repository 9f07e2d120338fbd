import { decideLettingGo } from '../../changes/applying/rules.ts';
import type { ChangeSetState } from '../../changes/tables.ts';

const states = [
  ...(['open', 'planning', 'awaiting_approval', 'applying', 'paused'] as const),
  ...(['cancelling', 'cancelled', 'done', 'failed'] as const),
] as const satisfies readonly ChangeSetState[];

/** States of a change set in which nothing of it is sent. */
export const stoppedStates: readonly ChangeSetState[] = states.filter(
  (state) => decideLettingGo(state).outcome === 'refuse',
);
