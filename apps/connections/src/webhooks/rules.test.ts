import type { PipedriveRecord } from '@manifold/contracts';
import type { WebhookEvent } from '@manifold/pipedrive';
import { expect, test } from 'vitest';
import { describeChange, project, retryAt } from './rules.ts';

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
