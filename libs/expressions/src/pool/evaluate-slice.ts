import { compileExpression, type Outcome } from '../compile.ts';
import { failure } from '../failures.ts';
import type { Variables } from '../schema.ts';
import { type PreparedRecord, prepareRecord } from '../values/record.ts';
import type { BatchExpression, Said, Slice } from './slice.ts';

/** How often an expression may be too expensive before the rest of a slice goes without it. */
export const GIVE_UP_AFTER = 10;

const SAY_EVERY_MS = 20;
const KEPT_SCHEMAS = 16;
const KEPT_EXPRESSIONS = 1_000;

type Evaluate = (record: PreparedRecord) => Outcome;

/** Evaluates the cells of a slice one after the other, and says what came out now and then. */
export function evaluateSlice(
  slice: Slice,
  { begin, say }: { begin: (cell: number) => void; say: (said: Said) => void },
): void {
  const { expressions, records, skipped } = slice;
  const compiled = expressions.map((expression) => compiledOnce(expression, slice.variables));
  const wasted = expressions.map(() => 0);
  for (const cell of skipped.keys()) wasted[cell % expressions.length]! += 1;

  let outcomes: Outcome[] = [];
  let lastSaid = performance.now();
  let prepared: { at: number; record: ReturnType<typeof prepareRecord> } | undefined;

  const evaluate = (cell: number): Outcome => {
    const killer = skipped.get(cell);
    if (killer !== undefined) return failure(killer);
    const at = Math.floor(cell / expressions.length);
    const column = cell % expressions.length;
    if ((wasted[column] ?? 0) >= GIVE_UP_AFTER) return failure('given_up');
    if (prepared?.at !== at) {
      prepared = { at, record: prepareRecord(records[at] ?? {}, slice.variables) };
    }
    if (prepared.record.outcome === 'error') return prepared.record;
    const outcome = compiled[column]?.()(prepared.record) ?? failure('not_compiled');
    if (outcome.outcome === 'error' && outcome.code === 'too_expensive') wasted[column]! += 1;
    return outcome;
  };

  for (let cell = slice.from; cell < records.length * expressions.length; cell++) {
    begin(cell);
    outcomes.push(evaluate(cell));
    if (performance.now() - lastSaid < SAY_EVERY_MS) continue;
    say({ outcomes, isDone: false });
    outcomes = [];
    lastSaid = performance.now();
  }
  say({ outcomes, isDone: true });
}

/** Compiled with its first cell, so that a slow compiler has a cell to blame. */
function compiledOnce(expression: BatchExpression, variables: Variables): () => Evaluate {
  const known = evaluatorsOf(variables);
  const key = JSON.stringify([expression.source, expression.resultType]);
  return () => {
    const made = known.byKey.get(key) ?? compile(expression, known.variables);
    known.byKey.set(key, made);
    dropOldest(known.byKey, KEPT_EXPRESSIONS);
    return made;
  };
}

function compile({ source, resultType }: BatchExpression, variables: Variables): Evaluate {
  const compiled = compileExpression(source, { variables, resultType });
  return compiled.outcome === 'compiled' ? compiled.evaluate : () => failure('not_compiled');
}

interface Known {
  readonly variables: Variables;
  readonly byKey: Map<string, Evaluate>;
}

const schemas = new Map<string, Known>();

/** Every message brings a copy of the schema; what was made of it is kept by its content. */
function evaluatorsOf(variables: Variables): Known {
  const key = JSON.stringify(variables);
  const known = schemas.get(key) ?? { variables, byKey: new Map<string, Evaluate>() };
  schemas.set(key, known);
  dropOldest(schemas, KEPT_SCHEMAS);
  return known;
}

function dropOldest<Key>(kept: Map<Key, unknown>, most: number): void {
  for (const key of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(key);
  }
}
