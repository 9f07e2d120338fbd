import type { IdentityKey, PipedriveRecord } from '@manifold/contracts';
import { describe, expect, test } from 'vitest';
import { hasKey, isSent, keyText } from './rules.ts';

describe('an identity key means the same', () => {
  test.each<[string, IdentityKey, IdentityKey, boolean]>([
    [
      'address in another case (RF-23)',
      { kind: 'email', value: 'A@X.test' },
      { kind: 'email', value: ' a@x.TEST' },
      true,
    ],
    [
      'address but for a plus tag (RF-27)',
      { kind: 'email', value: 'a+1@x.test' },
      { kind: 'email', value: 'a@x.test' },
      false,
    ],
    [
      'name with other spaces',
      { kind: 'name', value: 'Acme  Inc' },
      { kind: 'name', value: 'acme inc ' },
      true,
    ],
    [
      'value of a field in another case',
      { kind: 'field', field: 'k', value: 'AB' },
      { kind: 'field', field: 'k', value: 'ab' },
      false,
    ],
    [
      'value of another field',
      { kind: 'field', field: 'k', value: 'a' },
      { kind: 'field', field: 'l', value: 'a' },
      false,
    ],
  ])('%s', (_, one, other, same) => {
    expect(keyText('person', one) === keyText('person', other)).toBe(same);
  });

  test('on one object only', () => {
    const key = { kind: 'field', field: 'k', value: 'a' } as const;
    expect(keyText('person', key)).not.toBe(keyText('organization', key));
  });
});

test.each<[string, PipedriveRecord['fields'], IdentityKey, boolean]>([
  [
    'one of its addresses',
    {
      emails: [
        { value: 'x@x.test', label: '', primary: true },
        { value: 'A@x.test', label: '', primary: false },
      ],
    },
    { kind: 'email', value: 'a@X.test' },
    true,
  ],
  ['part of its name', { name: 'Acme Inc' }, { kind: 'name', value: 'Acme' }, false],
  ['a number in a field', { code: 42 }, { kind: 'field', field: 'code', value: '42' }, true],
  ['an empty field', { code: null }, { kind: 'field', field: 'code', value: '42' }, false],
])('a record is known by %s', (_, fields, key, known) => {
  expect(hasKey(recordOf(fields), key)).toBe(known);
});

test('a lead is known by the mark it carries, not by what it says', () => {
  const sent = { stepId: 'st_1', identity: [], fields: { title: 'Same' } };
  expect(isSent(recordOf({ title: 'Same', origin_id: 'st_1' }, 'lead'), sent)).toBe(true);
  expect(isSent(recordOf({ title: 'Same', origin_id: 'st_2' }, 'lead'), sent)).toBe(false);
});

test('what has no identity is known by everything that was sent', () => {
  const sent = { stepId: 'st_1', identity: [], fields: { name: 'Ada', job_title: 'Countess' } };
  expect(isSent(recordOf({ name: 'Ada', job_title: 'Countess' }), sent)).toBe(true);
  expect(isSent(recordOf({ name: 'Ada', job_title: null }), sent)).toBe(false);
});

// builders

function recordOf(
  fields: PipedriveRecord['fields'],
  object: PipedriveRecord['object'] = 'person',
): PipedriveRecord {
  return { object, id: '7', updateTime: null, addTime: null, deleted: false, fields };
}
