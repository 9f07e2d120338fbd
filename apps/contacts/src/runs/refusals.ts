import { Refusal } from '@manifold/errors';

export const noRun = (id: string): Refusal =>
  new Refusal('not_found', `There is no sync run ${id}`, {
    reason: 'record_not_found',
    field: 'input.syncRunId',
    fix: 'Use an id from the list syncRuns of this workspace.',
  });
