import { ConnectionId, ReferralUserId, WriteRequestId, WriteStepId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { expect, test } from 'vitest';
import {
  applyRequest,
  applyStep,
  decideRetry,
  type Delivery,
  hasSettled,
  takeBack,
} from './rules.ts';

const writeRequestId = newId('wr', WriteRequestId);
const connectionId = newId('cn', ConnectionId);
const queued: Delivery = {
  delivery_state: 'QUEUED',
  delivery_reason: null,
  delivery_fix: null,
  write_request_id: null,
  delivery_attempt: 1,
  delivery_written: false,
  delivery_cancelled: false,
  superseded_request_id: null,
  person_pipedrive_id: null,
  person_url: null,
  lead_pipedrive_id: null,
  lead_url: null,
};
const step = (changes: Partial<Parameters<typeof applyStep>[1]>) => ({
  connectionId,
  writeRequestId,
  stepId: newId('st', WriteStepId),
  stepName: 'person',
  cause: { service: 'referrals', type: 'ReferralUser', id: newId('ru', ReferralUserId) },
  object: 'person' as const,
  operation: 'created' as const,
  outcome: 'applied' as const,
  costTokens: 5,
  changedKeys: [],
  ...changes,
});
const request = (changes: Partial<Parameters<typeof applyRequest>[1]>) => ({
  connectionId,
  writeRequestId,
  cause: { service: 'referrals', type: 'ReferralUser', id: newId('ru', ReferralUserId) },
  outcome: 'succeeded' as const,
  costTokens: 5,
  ...changes,
});
test('an outcome of a later release waits for a person, and nothing is sent twice for it', () => {
  const after = applyStep(queued, step({ outcome: 'unknown', pipedriveId: '7' }));
  expect(after).toMatchObject({ delivery_state: 'QUEUED', delivery_written: true });
  expect(applyRequest(after, request({ outcome: 'unknown' }))).toMatchObject({
    delivery_state: 'PARKED',
    delivery_reason: 'unknown_reason',
    delivery_fix: expect.stringContaining('redrive'),
  });
});

const personWritten = step({
  pipedriveId: '7',
  pipedriveUrl: 'https://acme.pipedrive.com/person/7',
});
const leadWritten = step({ object: 'lead', pipedriveId: 'l-1' });
const leftAlone = step({
  outcome: 'skipped',
  reason: 'existing_record_left_alone',
  pipedriveId: '7',
});
const leadSkipped = step({
  object: 'lead',
  outcome: 'skipped',
  reason: 'previous_step_not_applied',
});
const severalMatches = step({ outcome: 'parked', reason: 'several_matches' });

test('a person and a lead that were written make a delivery (RF-29)', () => {
  const done = applyRequest(applyStep(applyStep(queued, personWritten), leadWritten), request({}));
  expect(done).toMatchObject({
    delivery_state: 'DELIVERED',
    delivery_reason: null,
    write_request_id: writeRequestId,
    person_pipedrive_id: '7',
    person_url: 'https://acme.pipedrive.com/person/7',
    lead_pipedrive_id: 'l-1',
  });
});

test('a person who is left alone explains the lead that was not made (A11)', () => {
  const between = applyStep(applyStep(queued, leftAlone), leadSkipped);
  const done = applyRequest(between, request({ outcome: 'skipped' }));
  expect(between.delivery_state).toBe('QUEUED');
  expect(done).toMatchObject({
    delivery_state: 'SKIPPED',
    delivery_reason: 'existing_record_left_alone',
    person_pipedrive_id: '7',
    lead_pipedrive_id: null,
  });
});

test('a parked step parks the delivery at once, and its redrive takes it on (RF-31)', () => {
  const parked = applyStep(queued, severalMatches);
  expect(parked).toMatchObject({ delivery_state: 'PARKED', delivery_reason: 'several_matches' });
  expect(parked.delivery_fix).toContain('Merge the persons');

  const redriven = applyStep(parked, personWritten);
  expect(redriven).toMatchObject({ delivery_state: 'QUEUED', delivery_reason: null });
  expect(applyRequest(redriven, request({})).delivery_state).toBe('DELIVERED');
});

test.each([
  ['parked without its own reason', request({ outcome: 'parked' }), 'PARKED', 'several_matches'],
  [
    'parked for another reason',
    request({ outcome: 'parked', reason: 'outcome_unknown' }),
    'PARKED',
    'outcome_unknown',
  ],
  ['cancelled', request({ outcome: 'cancelled' }), 'SKIPPED', 'cancelled_by_user'],
])('a request that ends %s', (_, ended, state, reason) => {
  const after = applyRequest(applyStep(queued, severalMatches), ended);
  expect([after.delivery_state, after.delivery_reason]).toEqual([state, reason]);
});

test.each([
  ['reaching an end', 'QUEUED', 'PARKED', true],
  ['another end', 'PARKED', 'DELIVERED', true],
  ['the same end again', 'PARKED', 'PARKED', false],
  ['being on its way again', 'PARKED', 'QUEUED', false],
] as const)('%s is told: %s → %s', (_, before, after, isTold) => {
  const at = (delivery_state: Delivery['delivery_state']) => ({ ...queued, delivery_state });
  expect(hasSettled(at(before), at(after))).toBe(isTold);
});

test.each([
  ['under way', {}, 'nothing_to_do'],
  ['done', { delivery_state: 'DELIVERED', delivery_written: true }, 'nothing_to_do'],
  ['left alone', { delivery_state: 'SKIPPED' }, 'nothing_to_do'],
  [
    'refused before it was taken',
    { delivery_state: 'PARKED', write_request_id: null, delivery_written: true },
    'send',
  ],
  [
    'refused by Pipedrive',
    { delivery_state: 'PARKED', delivery_reason: 'pipedrive_refused' },
    'send',
  ],
  ['cancelled', { delivery_state: 'SKIPPED', delivery_cancelled: true }, 'send'],
  ['written in part', { delivery_state: 'PARKED', delivery_written: true }, 'refuse'],
  ['in doubt', { delivery_state: 'PARKED', delivery_reason: 'outcome_unknown' }, 'refuse'],
  [
    'cancelled when a part was written',
    { delivery_state: 'SKIPPED', delivery_cancelled: true, delivery_written: true },
    'refuse',
  ],
] as const)('asking again for a delivery that is %s', (_, user, outcome) => {
  const taken = { ...queued, write_request_id: writeRequestId };
  expect(decideRetry({ ...taken, ...user }).outcome).toBe(outcome);
});

test('what becomes of a replaced request no longer counts, unless it was written after all', () => {
  const again: Delivery = {
    ...queued,
    delivery_attempt: 2,
    superseded_request_id: writeRequestId,
  };
  expect(applyStep(again, severalMatches)).toEqual(again);
  expect(applyStep(again, step({ outcome: 'cancelled' }))).toEqual(again);
  expect(applyRequest(again, request({ outcome: 'cancelled' }))).toEqual(again);

  const refused = takeBack(again, { reason: 'already_written', fix: 'Use redrive.' });
  expect(refused).toMatchObject({
    delivery_state: 'PARKED',
    delivery_attempt: 1,
    delivery_written: true,
    delivery_fix: 'Use redrive.',
    write_request_id: writeRequestId,
    superseded_request_id: null,
  });
  const written = applyStep(again, personWritten);
  const done = applyRequest(written, request({}));
  expect(written.delivery_written).toBe(true);
  expect(takeBack(done, { reason: 'already_written', fix: undefined }).delivery_state).toBe(
    'DELIVERED',
  );
});
