import { expect, test } from 'vitest';
import { decideLettingGo, writtenOf } from './rules.ts';

test.each([
  ['applying', 'go'],
  ['done', 'go'],
  ['awaiting_approval', 'go'],
  ['paused', 'refuse'],
  ['open', 'refuse'],
  ['planning', 'refuse'],
  ['cancelling', 'refuse'],
  ['cancelled', 'refuse'],
  ['failed', 'refuse'],
] as const)('a parked step of a set that is %s: %s', (state, outcome) => {
  const decision = decideLettingGo(state);
  expect(decision.outcome).toBe(outcome);
  if (decision.outcome === 'go') return;
  expect(decision.because).toContain('change set');
  expect(decision.fix).toMatch(/\.$/);
});

const before = { name: 'Before', label: 1, owner: 7 };
const after = { name: 'After', label: 2, owner: 7 };
const byHand = { name: 'By hand', label: 3 };

test.each([
  ['was carried out', after, { written: ['name', 'label', 'owner'], kept: [] }],
  [
    'was carried out, and one field edited since',
    { ...after, name: byHand.name },
    { written: ['label', 'owner'], kept: ['name'] },
  ],
  [
    'was carried out, and one field put back since',
    { ...after, name: before.name },
    { written: ['label', 'owner'], kept: ['name'] },
  ],
  ['was not carried out', before, undefined],
  ['was not carried out, and one field edited', { ...before, ...byHand }, undefined],
  ['leaves no trace', { ...after, ...byHand }, undefined],
])('an update of unknown end that %s', (_, record, found) => {
  expect(writtenOf(record, { before, after })).toEqual(found);
});
