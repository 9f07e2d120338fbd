import type { PipedriveRecord } from '@manifold/contracts';
import { expect, test } from 'vitest';
import {
  chooseReader,
  decideTracking,
  fieldOf,
  isRecordNumber,
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

test('what is listed by offset is not tracked', () => {
  expect((['person', 'deal', 'lead', 'note', 'user'] as const).map(isTrackable)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test.each(['', '0', '-1', '1.5', '1e3', 'a', '12345678901234567', '../1'])(
  'a made-up id is none: %j',
  (id) => expect(isRecordNumber(id)).toBe(false),
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

test('the credential that sees most reads', () => {
  const personal = { kind: 'PERSONAL', is_admin: false, status: 'ACTIVE' } as const;
  const admin = { ...personal, is_admin: true };
  const organization = { ...admin, kind: 'ORGANIZATION' } as const;
  const disabled = { ...organization, status: 'DISABLED' };
  expect(chooseReader([personal, disabled, admin])).toBe(admin);
  expect(chooseReader([admin, organization])).toBe(organization);
  expect(chooseReader([])).toBeUndefined();
});
