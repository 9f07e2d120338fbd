import type { MergePolicy } from '@manifold/contracts';
import { describe, expect, test } from 'vitest';
import type { Subscription, Subscriptions } from '../store.ts';
import { decideByPerson, inheritRefusals, planSubscriptions, viewSubscriptions } from './rules.ts';

const now = new Date('2026-03-01T12:00:00Z');
const policy: MergePolicy = {
  ...{ existing: 'overwrite', createMissing: true, ignoreEmpty: false },
  ...{ protected: [], protectFilled: false },
};
const nothing = { existing: undefined, mapped: {}, marketingStatus: null };
const by = (who: Subscription['by'], permission: Subscription['permission']): Subscription => ({
  ...{ permission, by: who, since: '2026-01-01T00:00:00.000Z' },
});
const refused = by('person', 'unsubscribed');

/** `email+ by row`: subscribed, decided by a row. */
const told = (subscriptions: Subscriptions) =>
  Object.entries(subscriptions).map(
    ([channel, { permission, by: who }]) =>
      `${channel}${permission === 'subscribed' ? '+' : '-'} by ${who}`,
  );

test.each([
  ['nothing known', nothing, ['email+ by default', 'sms- by default']],
  [
    'marketing status unsubscribed',
    { ...nothing, marketingStatus: 'unsubscribed' },
    ['email- by marketing_status', 'sms- by default'],
  ],
  [
    'marketing status no_consent',
    { ...nothing, marketingStatus: 'no_consent' },
    ['email- by marketing_status', 'sms- by default'],
  ],
  [
    'a permission field, whatever the marketing status',
    { ...nothing, mapped: { email: 'subscribed' }, marketingStatus: 'unsubscribed' },
    ['email+ by row', 'sms- by default'],
  ],
  [
    'rows from the phone number to SMS and Viber',
    { ...nothing, mapped: { sms: 'subscribed', viber: 'subscribed' } },
    ['email+ by default', 'sms+ by row', 'viber+ by row'],
  ],
  [
    'rows from a phone number that is empty',
    { ...nothing, mapped: { sms: null, viber: null } },
    ['email+ by default'],
  ],
] as const)(
  'a new contact with %s begins with %j (A4, OR-14..16, OR-31, OR-32, WX-12, WX-13)',
  (_, given, expected) => {
    const { subscriptions } = planSubscriptions({ ...given, policy, now });
    expect(told(subscriptions)).toEqual(expected);
  },
);

test.each([
  ['keeps what was said', { email: by('default', 'subscribed') }, { email: 'unsubscribed' }, []],
  ['keeps an explicit unsubscribe', { sms: refused }, { sms: 'subscribed' }, []],
  ['is asked where nobody asked before', { sms: refused }, { viber: 'subscribed' }, ['viber']],
] as const)('a known contact %s (A5, OR-33, WX-14)', (_, existing, mapped, decided) => {
  const plan = planSubscriptions({ existing, mapped, marketingStatus: 'subscribed', policy, now });
  expect(plan.decided).toEqual(decided);
  expect(plan.subscriptions).toMatchObject(existing);
});

describe('a person', () => {
  test('has the last word, once', () => {
    const set = decideByPerson(
      { sms: by('default', 'unsubscribed') },
      { channel: 'sms', permission: 'unsubscribed', now },
    );
    expect(told(set ?? {})).toEqual(['sms- by person']);
    const again = { channel: 'sms', permission: 'unsubscribed', now } as const;
    expect(decideByPerson(set ?? {}, again)).toBeUndefined();
  });

  test.each([
    [
      'hands a refusal on',
      { email: by('default', 'subscribed') },
      { email: refused },
      ['email- by person'],
    ],
    [
      'hands on no default',
      { email: by('default', 'subscribed') },
      { email: by('default', 'unsubscribed') },
      undefined,
    ],
    [
      'does not overrule the survivor',
      { email: by('person', 'subscribed') },
      { email: refused },
      undefined,
    ],
  ] as const)('who is merged into another %s (WX-14)', (_, heir, leaving, expected) => {
    const inherited = inheritRefusals(heir, leaving);
    expect(inherited && told(inherited)).toEqual(expected);
  });
});

test('a channel nobody was asked about is not shown', () => {
  expect(viewSubscriptions({ sms: refused })).toEqual([
    {
      ...{ channel: 'SMS', state: 'UNSUBSCRIBED', source: 'PERSON' },
      since: new Date('2026-01-01T00:00:00Z'),
    },
  ]);
});
