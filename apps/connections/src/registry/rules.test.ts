import type { PipedriveRecord } from '@manifold/contracts';
import { expect, test } from 'vitest';
import {
  chooseReader,
  decideTracking,
  fieldOf,
  isRecordId,
  isTrackable,
  keyName,
  keysOf,
  readKeyName,
} from './rules.ts';

const record: PipedriveRecord = {
  object: 'person',
  id: '8',
  updateTime: null,
  addTime: null,
  deleted: false,
  fields: {
    name: 'Ada',
    emails: [
      { value: 'ada@example.com', label: 'work', primary: true },
      { value: 'a@example.org', label: 'home', primary: false },
    ],
    phones: null,
    website: 'https://example.com',
    code: 'x',
  },
};

test.each([
  [{ kind: 'email' }, 'email', 'emails'],
  [{ kind: 'phone' }, 'phone', 'phones'],
  [{ kind: 'name' }, 'name', 'name'],
  [{ kind: 'domain' }, 'domain:website', 'website'],
  [{ kind: 'domain', field: 'code' }, 'domain:code', 'code'],
  [{ kind: 'field', field: 'code' }, 'field:code', 'code'],
] as const)('%o has a name that says all of it, and a field', (kind, name, field) => {
  expect(keyName(kind)).toBe(name);
  expect(keyName(readKeyName(name))).toBe(name);
  expect(fieldOf(readKeyName(name))).toBe(field);
});

test('a record has every value of a key', () => {
  expect(
    keysOf(record, ['email', 'phone', 'domain:website', 'field:code', 'field:absent']),
  ).toEqual([
    { kind: 'email', value: 'ada@example.com' },
    { kind: 'email', value: 'a@example.org' },
    { kind: 'domain', field: 'website', value: 'https://example.com' },
    { kind: 'field', field: 'code', value: 'x' },
  ]);
});

test('everything that has a list is tracked', () => {
  expect((['person', 'deal', 'lead', 'note', 'user'] as const).map(isTrackable)).toEqual([
    true,
    true,
    true,
    true,
    false,
  ]);
});

test.each([
  '',
  '0',
  '-1',
  '1.5',
  '1e3',
  'a',
  '12345678901234567',
  '../1',
  'adf21080-0e10-11eb-879b-05d71fb426eX',
])('a made-up id is none: %j', (id) => expect(isRecordId(id)).toBe(false));

test.each(['1', '9007199254740991', 'adf21080-0e10-11eb-879b-05d71fb426ec'])(
  'an id is a number or, of a lead, a UUID: %j',
  (id) => expect(isRecordId(id)).toBe(true),
);

test('it is ready when every key that is needed has been searched for', () => {
  const built = {
    ...{ certified_until: new Date(), keys: ['email'], wanted_keys: ['email'] },
    releasing: false,
  };
  expect(decideTracking(built)).toBe('READY');
  expect(decideTracking({ ...built, wanted_keys: ['email', 'phone'] })).toBe('BUILDING');
  expect(decideTracking({ ...built, certified_until: null })).toBe('BUILDING');
  expect(decideTracking({ ...built, releasing: true })).toBe('BUILDING');
});

const personal = { kind: 'PERSONAL', is_admin: false, status: 'ACTIVE' } as const;
const admin = { ...personal, is_admin: true };
const organization = { ...personal, kind: 'ORGANIZATION' } as const;
const organizationAdmin = { ...organization, is_admin: true };
const disabled = { ...organizationAdmin, status: 'DISABLED' };
const lost = { ...organization, status: 'NEEDS_REAUTH' };

test.each([
  ['the organization’s before an administrator’s own', [admin, organization], organization],
  ['the organization’s though it is switched off', [personal, disabled, admin], disabled],
  ['the organization’s though it has to be connected again', [lost, admin], lost],
  ['of several of the organization one that works', [disabled, organization], organization],
  ['of these the one that sees most', [organization, organizationAdmin], organizationAdmin],
  ['a personal one where there is no other, an administrator’s first', [personal, admin], admin],
  ['none of none', [], undefined],
] as const)('by itself reads %s (SL-11)', (_, candidates, reader) => {
  expect(chooseReader<(typeof candidates)[number]>(candidates)).toBe(reader);
});
