import type { WriteStep } from '@manifold/contracts';
import { describe, expect, test } from 'vitest';
import {
  areJoinable,
  canCoalesce,
  canonicalText,
  coalesce,
  decideGuard,
  decideRedrive,
  decideRequest,
  type SettledStep,
  type Waiting,
} from './rules.ts';
import { commandOf, personStep } from '../../test/write-commands.ts';

const now = new Date('2026-03-01T10:00:00Z');
const ids = {
  workspaceId: `ws_${'1'.repeat(32)}`,
  connectionId: `cn_${'1'.repeat(32)}`,
};
const command = (change: Parameters<typeof commandOf>[1]) => commandOf(idsOf(), change);

describe('a step goes after the one before it', () => {
  const of = (
    state: SettledStep['state'],
    effect: SettledStep['effect'] = 'none',
    id: string | null = '7',
  ) => ({ state, effect, pipedrive_id: id }) satisfies SettledStep;
  test.each<[WriteStep['guard'], string, SettledStep, boolean, 'go' | 'wait' | 'skip']>([
    ['if_previous_applied', 'was applied', of('applied', 'created'), true, 'go'],
    ['if_previous_applied', 'had nothing to change', of('no_change'), true, 'go'],
    ['if_previous_applied', 'was left alone', of('skipped'), true, 'skip'],
    ['if_previous_applied', 'is parked', of('parked', 'none', null), true, 'wait'],
    ['if_previous_applied', 'was cancelled', of('cancelled', 'none', null), false, 'skip'],
    ['only_if_created', 'made its record', of('applied', 'created'), true, 'go'],
    ['only_if_created', 'changed its record', of('applied', 'updated'), true, 'skip'],
    ['only_if_created', 'is parked', of('parked', 'none', null), false, 'wait'],
    ['always', 'was left alone, its record known', of('skipped'), true, 'go'],
    ['always', 'has no record to refer to', of('cancelled', 'none', null), true, 'skip'],
    ['always', 'is parked and referred to', of('parked', 'none', null), true, 'wait'],
    ['always', 'is parked and nothing to it', of('parked', 'none', null), false, 'go'],
  ])('%s, when that one %s', (...[guard, , previous, refers, decision]) => {
    expect(decideGuard({ guard }, { previous, referenced: refers ? [previous] : [] })).toBe(
      decision,
    );
  });

  test('the first step goes whatever its guard', () => {
    expect(
      decideGuard({ guard: 'if_previous_applied' }, { previous: undefined, referenced: [] }),
    ).toBe('go');
  });
});

test.each([
  [['applied', 'queued'], undefined],
  [['applied', 'unknown'], undefined],
  [['applied', 'applied'], 'succeeded'],
  [['no_change'], 'succeeded'],
  [['superseded'], 'succeeded'],
  [['skipped', 'skipped'], 'skipped'],
  [['applied', 'skipped'], 'succeeded'],
  [['parked', 'planned'], 'parked'],
  [['applied', 'cancelled'], 'cancelled'],
] as const)('a request whose steps are %j has come to %s', (states, outcome) => {
  const steps = states.map((state) => ({ state, reason: null }));
  expect(decideRequest(steps)?.state).toBe(outcome);
});

describe('two waiting steps become one call', () => {
  const older: Waiting & { isLast: boolean } = {
    connection_id: 'cn',
    write_request_id: 'wr_1',
    object: 'person',
    operation: 'upsert',
    existing: 'update',
    state: 'queued',
    key_hashes: ['a', 'b'],
    sent_at: null,
    lease_until: null,
    isLast: true,
  };
  const newer: Waiting = { ...older, write_request_id: 'wr_2' };

  test('on one record, through one connection, by one policy', () => {
    expect(canCoalesce(older, newer, now)).toBe(true);
  });
  test.each<[string, Partial<typeof older>, Partial<Waiting>]>([
    ['another step waits for the result of the older', { isLast: false }, {}],
    ['they differ in connection', {}, { connection_id: 'other' }],
    ['they differ in policy', {}, { existing: 'fill_blanks' }],
    ['an existing record is to be left alone', { existing: 'leave' }, { existing: 'leave' }],
    ['they differ in one key', {}, { key_hashes: ['a'] }],
    ['one only creates', { operation: 'create' }, { operation: 'create' }],
    ['the older may have been sent', { sent_at: now }, {}],
    ['the newer is being worked on', {}, { lease_until: new Date(now.getTime() + 1) }],
    ['the newer is parked', {}, { state: 'parked' }],
    ['they are of one request', {}, { write_request_id: 'wr_1' }],
  ])('not when %s', (_, one, other) => {
    expect(canCoalesce({ ...older, ...one }, { ...newer, ...other }, now)).toBe(false);
  });

  const body = (name: string, phone: string | null = null) => ({
    identity: [],
    fields: { name, ...(phone === null ? {} : { phone }) },
    createOnlyFields: {},
    survivor: [],
    onlyWhere: {},
  });
  test('the newer word counts, and what only the older says', () => {
    expect(coalesce(body('Older', '1'), body('Newer'), 'update').fields).toEqual({
      name: 'Newer',
      phone: '1',
    });
  });
  test('a blank is filled by whoever came first', () => {
    expect(coalesce(body('Older'), body('Newer', '2'), 'fill_blanks').fields).toEqual({
      name: 'Older',
      phone: '2',
    });
  });
  const phones = (...values: string[]) =>
    values.map((value, index) => ({ value, label: 'work', primary: index < 1 }));
  test.each(['update', 'fill_blanks'] as const)('no address of either is lost (%s)', (existing) => {
    const of = (value: string) => ({ ...body('One'), fields: { phones: phones(value) } });
    expect(coalesce(of('+111'), of('+222'), existing).fields).toEqual({
      phones: phones('+111', '+222'),
    });
  });
  test('a blank of the older one is filled by the newer', () => {
    expect(coalesce(body('Older', ''), body('Newer', '2'), 'fill_blanks').fields).toEqual({
      name: 'Older',
      phone: '2',
    });
  });
  test('what is written under a condition goes alone', () => {
    const bound = { ...body('One'), onlyWhere: { name: 'Before' } };
    expect(areJoinable(body('One'), body('Two'))).toBe(true);
    expect(areJoinable(bound, body('Two'))).toBe(false);
    expect(areJoinable(body('One'), bound)).toBe(false);
  });
});

test('a create of unknown end is looked for first when it is redriven', () => {
  expect(decideRedrive({ sent_at: now }, now)).toMatchObject({
    state: 'unknown',
    unknown_creates: 1,
  });
  expect(decideRedrive({ sent_at: null }, now)).toMatchObject({
    state: 'queued',
    unknown_creates: 0,
  });
});

test('a command is the same however its keys are ordered, and another when a value differs', () => {
  const cause = { service: 'referrals', type: 'ReferralUser', id: 'ru' };
  const asked = (fields: Record<string, number>) =>
    canonicalText(command({ cause, steps: [personStep('a@x.test', { fields })] }));
  expect(asked({ a: 1, b: 2 })).toBe(asked({ b: 2, a: 1 }));
  expect(asked({ a: 1, b: 2 })).not.toBe(asked({ a: 1, b: 3 }));
});

// builders

function idsOf(): Parameters<typeof commandOf>[0] {
  const parsed = commandOf(ids);
  return { workspaceId: parsed.workspaceId, connectionId: parsed.connectionId };
}
