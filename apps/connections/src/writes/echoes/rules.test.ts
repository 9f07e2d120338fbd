import type { FieldValue } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { hashFields } from '../hashes/rules.ts';
import { isEchoOf, type SentCall, type ToldChange } from './rules.ts';

const hashesOf = (fields: Readonly<Record<string, FieldValue>>) =>
  hashFields(fields, (code, part) => `${code}=${part}`);

const phone = [{ value: '+1 202', label: 'work', primary: true }];
const updated: SentCall = {
  effect: 'updated',
  written: hashesOf({ name: 'Ours', phones: phone }),
  loserId: null,
  isSameTime: false,
};
const told: ToldChange = {
  action: 'updated',
  pipedriveId: '7',
  fields: { name: 'Ours', phones: phone, label: null },
  previous: { name: 'Before' },
};
const merged: SentCall = { ...updated, effect: 'merged', written: {}, loserId: '8' };
const created: SentCall = { ...updated, effect: 'created' };

test.each<[string, SentCall, ToldChange, boolean]>([
  ['an update that holds what we wrote', updated, told, true],
  [
    'one that gave a field another value',
    updated,
    { ...told, fields: { ...told.fields, name: 'Theirs' } },
    false,
  ],
  [
    'one that changed only what we did not write',
    updated,
    { ...told, previous: { label: 1 } },
    false,
  ],
  ['one that shows a part of what we wrote', updated, { ...told, fields: { name: 'Ours' } }, true],
  [
    'one that shows nothing of it, at the time of our answer',
    { ...updated, isSameTime: true },
    { ...told, fields: {} },
    true,
  ],
  ['one that shows nothing of it, at another time', updated, { ...told, fields: {} }, false],
  [
    'a change that was read, at the time of our answer',
    { ...updated, isSameTime: true },
    { ...told, previous: null },
    true,
  ],
  ['a change that was read, at another time', updated, { ...told, previous: null }, false],
  ['a deletion while our update is under way', updated, { ...told, action: 'deleted' }, false],
  [
    'an update by an earlier release, at the time of its answer',
    { ...updated, written: undefined, isSameTime: true },
    told,
    true,
  ],
  ['the making of our own record', created, { ...told, action: 'created', previous: null }, true],
  [
    'a change of the record we have just made',
    { ...created, isSameTime: true },
    { ...told, previous: { label: 1 } },
    false,
  ],
  ['our deletion', { ...updated, effect: 'deleted' }, { ...told, action: 'deleted' }, true],
  ['a change of what we are deleting', { ...updated, effect: 'deleted' }, told, false],
  ['the loss of our merge', merged, { ...told, action: 'merged', pipedriveId: '8' }, true],
  ['the gain of our merge', merged, { ...told, mergedFrom: '8' }, true],
  ['a change of the record that stays', merged, told, false],
  [
    'a change of a record we found as it should be',
    { ...updated, effect: 'none', isSameTime: true },
    told,
    false,
  ],
])('%s is told rightly', (_, call, change, isOurs) => {
  expect(isEchoOf(call, change, hashesOf)).toBe(isOurs);
});
