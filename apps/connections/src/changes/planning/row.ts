import { withWorkspace } from '@manifold/database';
import { openBody } from '../../writes/body.ts';
import type { StepBody } from '../../writes/rules.ts';
import { listSteps, listStepsByIds, type Step } from '../../writes/store.ts';
import { listChangesByIds } from '../rows/shown/store.ts';
import { type Change, listChangesOfRequests, listUnplannedRequests } from '../rows/store.ts';
import type { Work } from '../work.ts';
import type { Plan } from './rules.ts';
import type { Undone } from './undo.ts';

const REQUESTS_AT_ONCE = 100;

/** One row of a set, with what is needed to plan it. */
export interface Row {
  change: Change;
  step: Step;
  body: StepBody;
  /** The change it takes back. */
  undone: Undone | undefined;
}

export interface PlannedRow {
  row: Row;
  plan: Plan;
  lookTokens: number;
}

/** The rows of the next requests that nobody has planned yet. */
export async function readRows({ deps, set }: Work): Promise<Row[]> {
  return withWorkspace(deps.db, set.workspace_id, async (tx) => {
    const ids = await listUnplannedRequests(tx, set.id, REQUESTS_AT_ONCE);
    const steps = new Map((await listSteps(tx, ids)).map((step) => [step.id, step]));
    const changes = await listChangesOfRequests(tx, ids);
    const undoneIds = changes.flatMap(({ undoes_change_id }) => undoes_change_id ?? []);
    const undone = await listChangesByIds(tx, undoneIds);
    const undoneSteps = await listStepsByIds(
      tx,
      undone.map((change) => change.write_step_id),
    );
    return changes.flatMap((change): Row[] => {
      const step = steps.get(change.write_step_id);
      // one that a person cancelled meanwhile has no body any more
      if (step === undefined) return [];
      const source = undone.find(({ id }) => id === change.undoes_change_id);
      const sourceStep = undoneSteps.find(({ id }) => id === source?.write_step_id);
      return [
        {
          change,
          step,
          body: step.sealed_body === null ? emptyBody : openBody(deps.vault, step),
          undone: source && sourceStep && { change: source, step: sourceStep },
        },
      ];
    });
  });
}

const emptyBody: StepBody = {
  identity: [],
  fields: {},
  createOnlyFields: {},
  survivor: [],
  onlyWhere: {},
};
