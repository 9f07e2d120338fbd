import type { PipedriveRecord } from '@manifold/contracts';
import type { WebhookEvent } from '@manifold/pipedrive';
import { expect, test } from 'vitest';
import { Refusal } from '@manifold/errors';
import { decideUnknown, describeChange, isPassing, paceAfter, project, retryAt } from './rules.ts';

const record: PipedriveRecord = {
  object: 'person',
  id: '8',
  updateTime: null,
  addTime: null,
  deleted: false,
  fields: { name: 'Ada', org_id: null, job_title: 'Engineer' },
};

const event = (more: Partial<WebhookEvent>): WebhookEvent => ({
  id: 'e1',
  action: 'change',
  object: 'person',
  recordId: '8',
  companyId: '1',
  userId: null,
  webhookId: null,
  correlationId: null,
  occurredAt: '2026-03-01T10:00:00.250Z',
  attempt: 1,
  changeSource: 'app',
  permittedUserIds: null,
  bulkEdit: false,
  mergedInto: null,
  mergedFrom: null,
  record,
  previous: null,
  ...more,
});

const revision = Date.parse('2026-03-01T10:00:00.250Z');

test.each([
  [
    'a creation names the fields that are filled',
    event({ action: 'create' }),
    { action: 'created', changedKeys: ['name', 'job_title'], revision },
  ],
  [
    'a change names the fields that differ',
    event({ previous: { name: 'Ade', org_id: 4 } }),
    { action: 'updated', changedKeys: ['name', 'org_id'], revision },
  ],
  [
    'the survivor of a merge is changed',
    event({ mergedFrom: '9', previous: {} }),
    { action: 'updated', changedKeys: [], revision },
  ],
  [
    'a deletion names none',
    event({ action: 'delete' }),
    { action: 'deleted', changedKeys: [], revision },
  ],
  [
    'the loser of a merge names the survivor',
    event({ action: 'delete', mergedInto: '7' }),
    { action: 'merged', changedKeys: [], revision, mergedIntoPipedriveId: '7' },
  ],
])('%s', (_, told, expected) => {
  expect(describeChange(told)).toEqual(expected);
});

test('a record is cut down to the named fields; one it does not hold stays absent', () => {
  expect(project(record, ['name', 'org_id', 'emails']).fields).toEqual({
    name: 'Ada',
    org_id: null,
  });
});

test('a delivery that cannot be understood is tried again ever later', () => {
  const now = new Date(0);
  expect([1, 2, 3, 4, 9].map((attempts) => retryAt(attempts, now).getTime())).toEqual([
    1_000, 5_000, 30_000, 120_000, 120_000,
  ]);
});

test.each([
  ['a refusal worth another try', new Refusal('unavailable', 'x', { reason: 'x' }), true],
  ['a refusal for good', new Refusal('invalid', 'x', { reason: 'x' }), false],
  ['a deadlock', Object.assign(new Error('x'), { code: '40P01' }), true],
  ['a database that ends', Object.assign(new Error('x'), { code: '57P01' }), true],
  ['a value no column takes', Object.assign(new Error('x'), { code: '22P02' }), false],
  ['a bug', new TypeError('x'), false],
])('%s counts against a delivery only when it is its own fault', (_, error, expected) => {
  expect(isPassing(error)).toBe(expected);
});

test('a delivery of an unknown subscription is parked only after the list was read again', () => {
  const at = (second: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, second));
  const decide = (attempts: number, checked: Date | null) =>
    decideUnknown({ attempts, received_at: at(10) }, { checked_at: checked }, at(12));
  expect(decide(0, null)).toEqual({ next: 'wait', checkAt: at(12) });
  expect(decide(2, at(9))).toEqual({ next: 'wait', checkAt: at(39) });
  expect(decide(1, at(11))).toEqual({ next: 'wait' });
  expect(decide(2, at(11))).toEqual({ next: 'park' });
  expect(decide(4, at(9))).toMatchObject({ next: 'park' });
});

test('what Pipedrive refuses is asked for again in hours, what passes soon', () => {
  expect(paceAfter('refused')).toBe('later');
  expect(paceAfter('scope_missing')).toBe('later');
  expect(paceAfter('unknown')).toBe('soon');
  expect(paceAfter('limited')).toBe('soon');
});
