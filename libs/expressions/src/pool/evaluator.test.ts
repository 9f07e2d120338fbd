import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { Outcome } from '../compile.ts';
import { GIVE_UP_AFTER } from './evaluate-slice.ts';
import { type Evaluator, type EvaluatorOptions, startEvaluator } from './evaluator.ts';
import { EvaluatorBusy } from './lanes.ts';

const variables = { n: 'integer', numbers: 'any', lost: 'any' } as const;
const script = new URL('../../test/misbehaving-worker.ts', import.meta.url);
const costly = 'numbers.all(x, numbers.all(y, numbers.all(z, x + y + z >= 0)))';
const numbers = Array.from({ length: 300 }, (_, at) => at);

const started: Evaluator[] = [];
afterEach(async () => {
  for (const evaluator of started.splice(0)) await evaluator.stop();
});
const start = (options?: EvaluatorOptions): Evaluator => {
  const evaluator = startEvaluator(options);
  started.push(evaluator);
  return evaluator;
};

const sources = (...texts: string[]) => texts.map((source) => ({ source }));
const codesOf = (rows: Outcome[][]) =>
  rows.map((row) => row.map((cell) => (cell.outcome === 'value' ? cell.value : cell.code)));

describe('SL-48 a failing expression', () => {
  test('never blocks other fields or records', async () => {
    const expressions = [
      ...sources('n + 1', '10 / n', 'unknown', costly),
      { source: 'n', resultType: 'text' as const },
    ];
    const records = [{ n: 0, numbers }, { n: 5, numbers: [] }, {}];
    expect(codesOf(await start().evaluate({ variables, expressions, records }))).toEqual([
      [1, 'division_by_zero', 'not_compiled', 'too_expensive', '0'],
      [6, 2, 'not_compiled', true, '5'],
      ['missing_value', 'missing_value', 'not_compiled', 'missing_value', 'missing_value'],
    ]);
  });

  test.each([
    ['hangs', 'too_expensive'],
    ['fills its memory', 'too_large'],
    ['exits', 'failed'],
  ])('that %s loses its own outcome and no other', async (how, code) => {
    const stallMs = how === 'hangs' ? 2_000 : 30_000;
    const evaluator = start({ script, stallMs, memoryMb: 48 });
    const records = Array.from({ length: 40 }, (_, n) =>
      n === 7 || n === 30 ? { n, lost: { how, column: 1 } } : { n },
    );
    const expressions = sources('n', 'n * 2', 'n * 3');
    const expected = records.map(({ n }) => [n, n === 7 || n === 30 ? code : n * 2, n * 3]);
    expect(codesOf(await evaluator.evaluate({ variables, expressions, records }))).toEqual(
      expected,
    );
    expect(
      codesOf(await evaluator.evaluate({ variables, expressions, records: [{ n: 1 }] })),
    ).toEqual([[1, 2, 3]]);
  });

  test('is left out of the rest once it was too expensive too often', async () => {
    const records = Array.from({ length: GIVE_UP_AFTER + 5 }, (_, n) => ({ n, numbers }));
    const rows = codesOf(
      await start().evaluate({ variables, expressions: sources(costly, 'n'), records }),
    );
    expect(rows.map(([, n]) => n)).toEqual(records.map(({ n }) => n));
    expect(rows.filter(([cost]) => cost === 'too_expensive')).toHaveLength(GIVE_UP_AFTER);
    expect(rows.filter(([cost]) => cost === 'given_up')).toHaveLength(5);
  });
});

test('SL-46 thousands of records come back in order, big ones refused alone', async () => {
  const records = Array.from({ length: 2_000 }, (_, n) =>
    n === 1_234 ? { n, numbers: Array.from({ length: 10_001 }, () => 0) } : { n },
  );
  const rows = codesOf(
    await start().evaluate({ variables, expressions: sources('n + 1'), records }),
  );
  expect(rows).toEqual(records.map(({ n }) => [n === 1_234 ? 'record_too_large' : n + 1]));
});

test('SL-48 a batch that takes too long ends with what it has', async () => {
  const evaluator = start({ script, stallMs: 60_000, batchMs: 1_500 });
  const records = [{ n: 1 }, { n: 2, lost: { how: 'hangs', column: 0 } }, { n: 3 }];
  const rows = codesOf(await evaluator.evaluate({ variables, expressions: sources('n'), records }));
  expect(rows[2]).toEqual(['timed_out']);
});

test('SL-48 the process goes on with other work while an expression hangs', async () => {
  const evaluator = start({ script, stallMs: 1_000 });
  const record = { n: 1, lost: { how: 'hangs', column: 0 } };
  const batch = evaluator.evaluate({ variables, expressions: sources('n'), records: [record] });
  let turns = 0;
  let isDone = false;
  void batch.then(() => (isDone = true));
  while (!isDone) {
    await turn();
    turns++;
  }
  expect(codesOf(await batch)).toEqual([['too_expensive']]);
  expect(turns).toBeGreaterThan(10);
});

test('SL-48 batches beyond those that may wait are refused', async () => {
  const evaluator = start({ size: 1, waiting: 1 });
  const batch = { variables, expressions: sources('n'), records: [{ n: 1 }] };
  const [first, second] = [evaluator.evaluate(batch), evaluator.evaluate(batch)];
  await expect(evaluator.evaluate(batch)).rejects.toThrow(EvaluatorBusy);
  expect([await first, await second]).toHaveLength(2);
  expect(codesOf(await evaluator.evaluate(batch))).toEqual([[1]]);
});

test.each(['before it has begun', 'while it runs'])(
  'SL-48 stopping ends a batch %s, and refuses what waits',
  async (when) => {
    const evaluator = start({ script, stallMs: 60_000 });
    const hanging = { n: 1, lost: { how: 'hangs', column: 0 } };
    const batch = { variables, expressions: sources('n'), records: [hanging] };
    if (when === 'while it runs') await evaluator.evaluate({ ...batch, records: [{ n: 1 }] });
    const ended = Promise.allSettled([evaluator.evaluate(batch), evaluator.evaluate(batch)]);
    await turn();
    await evaluator.stop();
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(evaluator.evaluate(batch)).rejects.toThrow('stopped');
  },
);
