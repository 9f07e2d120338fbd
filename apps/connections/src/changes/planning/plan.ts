import type {
  FieldDefinition,
  FieldValue,
  PipedriveObject,
  WriteRequestId,
} from '@manifold/contracts';
import { completeCatalogue, type Failure } from '@manifold/pipedrive';
import { referencesOf } from '../../writes/progress.ts';
import type { StepBody } from '../../writes/rules.ts';
import { findMisfit } from '../values/rules.ts';
import type { Stretch, Work } from '../work.ts';
import { finishPlanning } from './finish.ts';
import { type Matched, matchSteps } from './match.ts';
import { mirrorBatch } from './mirror.ts';
import { type PlannedRow, readRows, type Row } from './row.ts';
import { decidePlan, nothing, type Plan } from './rules.ts';
import { storePlans } from './store-plans.ts';
import { matchUndone, planUndo } from './undo.ts';

/** Plans the next rows of a set; after the last it sums them up. Each stretch is stored as a whole. */
export async function planStretch(work: Work): Promise<Stretch> {
  const { set } = work;
  if (set.undo_cursor !== null) return mirrorBatch(work);
  const rows = await readRows(work);
  if (rows.length === 0) return finishPlanning(work);
  const planned = await planRows(work, rows);
  if ('failure' in planned) return { outcome: 'failed', failure: planned.failure };
  return storePlans(work, planned.rows);
}

/** First steps of all requests, then second ones: a later step may point at an earlier one's record. */
async function planRows(
  work: Work,
  rows: readonly Row[],
): Promise<{ rows: PlannedRow[] } | { failure: Failure }> {
  const planned = new Map<string, PlannedRow>();
  const left = new Set<WriteRequestId>();
  for (const [, turn] of groupBy(rows, ({ step }) => step.position)) {
    for (const [object, some] of groupBy(turn, ({ step }) => step.object)) {
      const failure = await planTurn(work, { object, rows: some }, { planned, left });
      if (failure !== undefined) return { failure };
    }
  }
  // a request is planned as a whole or not at all
  return { rows: [...planned.values()].filter(({ row }) => !left.has(row.step.write_request_id)) };
}

const groupBy = <Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key) =>
  [...Map.groupBy(items, keyOf)].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

interface Progress {
  planned: Map<string, PlannedRow>;
  left: Set<WriteRequestId>;
}

async function planTurn(
  work: Work,
  { object, rows }: { object: PipedriveObject; rows: readonly Row[] },
  { planned, left }: Progress,
): Promise<Failure | undefined> {
  const ready: { row: Row; wanted: StepBody & { pendingKeys: string[] } }[] = [];
  const catalogue = await catalogueOf(work, object);
  for (const row of rows) {
    if (left.has(row.step.write_request_id)) continue;
    const before = earlierOf(row, planned);
    const wanted = wantedOf(row, before);
    const plan = ruleOut(row, { before, wanted, catalogue });
    if (plan !== undefined) planned.set(row.step.id, { row, plan, lookTokens: 0 });
    else if (wanted !== undefined) ready.push({ row, wanted });
  }
  const undone = await matchUndone(work, object, ready);
  if ('failure' in undone) return undone.failure;
  const sought = ready
    .filter(({ row }) => row.undone === undefined)
    .map(({ row, wanted }) => ({ step: row.step, body: wanted }));
  const matching = await matchSteps(work, object, sought);
  if ('failure' in matching) return matching.failure;
  for (const { row, wanted } of ready) {
    const found = matching.matches.get(row.step.id);
    const plan =
      row.undone === undefined
        ? found && decidePlan(row.step, found.match, wanted)
        : planUndo(work.deps.vault, row.undone, undone.records);
    if (plan === undefined) left.add(row.step.write_request_id);
    else planned.set(row.step.id, { row, plan, lookTokens: lookTokensOf(found, plan) });
  }
  return undefined;
}

/** Only a create is looked for once more before it is sent. */
const lookTokensOf = (found: Matched | undefined, plan: Plan): number =>
  plan.effect === 'create' ? (found?.lookTokens ?? 0) : 0;

/** The fields of an object as last read; before that the built-in ones. */
async function catalogueOf(
  work: Work,
  object: PipedriveObject,
): Promise<ReadonlyMap<string, FieldDefinition>> {
  const read = await work.fieldsOf(object);
  const fields = read.length > 0 ? read : completeCatalogue(object, []);
  return new Map(fields.map((field) => [field.code, field]));
}

/** What needs no record to be decided: it is stopped, depends on what does not happen, or has a wrong value. */
function ruleOut(
  row: Row,
  known: {
    before: readonly PlannedRow[];
    wanted: StepBody | undefined;
    catalogue: ReadonlyMap<string, FieldDefinition>;
  },
): Plan | undefined {
  const { before, wanted, catalogue } = known;
  if (row.step.state !== 'planned') return nothing('cancelled_by_user');
  if (wanted === undefined || isRuledOut(row, before)) return nothing('previous_step_not_applied');
  const misfit = findMisfit({ ...wanted, existing: row.step.existing }, catalogue);
  return misfit && nothing(misfit.reason, { cause: misfit.cause, fix: misfit.fix });
}

/** The plans of the earlier steps of the same request, in order. */
const earlierOf = ({ step }: Row, planned: ReadonlyMap<string, PlannedRow>): PlannedRow[] =>
  [...planned.values()]
    .filter(({ row }) => row.step.write_request_id === step.write_request_id)
    .toSorted((a, b) => a.row.step.position - b.row.step.position);

/** With the ids of records that exist already; undefined when an earlier step leads to no record. */
function wantedOf(
  { step, body }: Row,
  before: readonly PlannedRow[],
): (StepBody & { pendingKeys: string[] }) | undefined {
  const ids: Record<string, FieldValue> = {};
  const pendingKeys: string[] = [];
  for (const [code, name] of Object.entries(referencesOf(step))) {
    const earlier = before.find(({ row }) => row.step.name === name)?.plan;
    const id = earlier?.record?.id;
    if (id !== undefined) ids[code] = /^\d+$/.test(id) ? Number(id) : id;
    else if (earlier?.effect === 'create') pendingKeys.push(code);
    else return undefined;
  }
  return { ...body, fields: { ...body.fields, ...ids }, pendingKeys };
}

/** As the guard will decide once the earlier steps are done. */
function isRuledOut({ step }: Row, before: readonly PlannedRow[]): boolean {
  const previous = before.at(-1)?.plan;
  if (previous === undefined || step.guard === 'always') return false;
  if (step.guard === 'only_if_created') return previous.effect !== 'create';
  return previous.effect === 'none' && previous.reason !== 'nothing_to_change';
}
