import { afterAll, beforeAll, expect, test } from 'vitest';
import { hookRecord } from '../webhooks/payload.ts';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';
import { checkCustomValue } from './custom-values.ts';
import type { Field } from './field.ts';

const context = { isUser: (id: number) => id === 7, timeZone: 'Europe/Tallinn', currency: 'EUR' };

function fieldOf(type: string): Field {
  const options = [1, 2].map((id) => ({ id, label: `Option ${id}` }));
  return {
    code: 'c',
    name: type,
    type,
    description: null,
    options: type === 'enum' || type === 'set' ? options : null,
    custom: true,
    optional: false,
    addTime: '2026-01-01T00:00:00Z',
    settings: {},
  };
}

const zone = { timezone_id: expect.any(Number), timezone_name: 'Asia/Tokyo' };

test.each([
  ['varchar', 'x', 'x', { type: 'varchar', value: 'x' }],
  ['text', 'x'.repeat(300), 'x'.repeat(300), { type: 'text', value: 'x'.repeat(300) }],
  ['double', 1.5, 1.5, { type: 'double', value: 1.5 }],
  ['phone', '+1', '+1', { type: 'phone', value: '+1' }],
  ['enum', 2, 2, { type: 'enum', id: 2 }],
  ['set', [2, 1], [2, 1], { type: 'set', values: [{ id: 2 }, { id: 1 }] }],
  ['user', 7, 7, { type: 'user', id: 7 }],
  ['org', 3, 3, { type: 'org', id: 3 }],
  ['people', 3, 3, { type: 'people', id: 3 }],
  ['date', '2024-02-29', '2024-02-29', { type: 'date', value: '2024-02-29' }],
  [
    'monetary',
    { value: 5 },
    { value: 5, currency: 'EUR' },
    { type: 'monetary', value: 5, currency: 'EUR' },
  ],
  [
    'daterange',
    { value: '2024-01-01', until: '2024-01-02' },
    { value: '2024-01-01', until: '2024-01-02' },
    { type: 'daterange', from: '2024-01-01', until: '2024-01-02' },
  ],
  [
    'time',
    { value: '09:30', timezone_name: 'Asia/Tokyo' },
    { value: '09:30:00', ...zone },
    { type: 'time', value: '09:30:00', timezone_id: zone.timezone_id },
  ],
  [
    'timerange',
    { value: '09:00:00', until: '10:00', timezone_name: 'Asia/Tokyo' },
    { value: '09:00:00', until: '10:00:00', ...zone },
    { type: 'timerange', from: '09:00:00', until: '10:00:00', timezone_id: zone.timezone_id },
  ],
])('%s has one shape when read and another in webhooks', (type, written, read, hooked) => {
  const field = fieldOf(type);
  const checked = checkCustomValue(field, written, context);
  expect(checked).toEqual({ value: read });
  const value = 'value' in checked ? checked.value : null;
  expect(hookRecord('lead', {}, { c: value }, [field])).toEqual({ custom_fields: { c: hooked } });
});

test.each([
  ['varchar', 'x'.repeat(256)],
  ['varchar', 5],
  ['double', '5'],
  ['enum', 3],
  ['enum', '1'],
  ['set', []],
  ['set', [1, 1]],
  ['set', [3]],
  ['user', 8],
  ['org', 0],
  ['date', '2023-02-29'],
  ['date', '2024-01-01T00:00:00Z'],
  ['monetary', 5],
  ['monetary', { value: '5' }],
  ['monetary', { value: 5, currency: 'eur' }],
  ['daterange', { value: '2024-01-01' }],
  ['time', '09:30'],
  ['time', { value: '25:00:00' }],
  ['time', { value: '09:30:00', timezone_name: 'Mars/Base' }],
  ['timerange', { value: '09:30:00' }],
  ['address', { country: 'Estonia' }],
  ['address', { value: 'x', planet: 'Earth' }],
])('%s refuses %j', (type, written) => {
  expect(checkCustomValue(fieldOf(type), written, context)).toHaveProperty('wrong');
});

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.stop());

test('null clears a custom value of every type', async () => {
  const { fields } = (await sandbox.call('POST', '/control/generate', { seed: 1, persons: 5 }))
    .body;
  const codes: string[] = Object.values(fields.person);
  const custom_fields = Object.fromEntries(codes.map((code) => [code, null]));
  const { data } = (await sandbox.call('PATCH', '/api/v2/persons/3', { custom_fields })).body;
  expect(Object.values(data.custom_fields)).toEqual(codes.map(() => null));
});

test('choices need options, other types refuse them, and only the sixteen types can be made', async () => {
  const make = (body: object) =>
    sandbox.call('POST', '/api/v2/dealFields', { field_name: 'F', ...body });
  expect((await make({ field_type: 'set' })).status).toBe(400);
  expect((await make({ field_type: 'text', options: [{ label: 'x' }] })).status).toBe(400);
  expect((await make({ field_type: 'json' })).status).toBe(400);
  expect((await make({ field_type: 'set', options: [{ label: 'x' }] })).status).toBe(200);
});

test('deleting options is all or nothing', async () => {
  const made = await sandbox.call('POST', '/api/v2/dealFields', {
    field_name: 'Choice',
    field_type: 'enum',
    options: [{ label: 'a' }, { label: 'b' }],
  });
  const { field_code: code, options } = made.body.data;
  const path = `/api/v2/dealFields/${code}/options`;
  const failed = await sandbox.call('DELETE', path, [{ id: options[0].id }, { id: 999_999 }]);
  expect(failed.status).toBe(400);
  expect((await sandbox.call('GET', `/api/v2/dealFields/${code}`)).body.data.options).toHaveLength(
    2,
  );
});

test('built-in fields cannot be deleted', async () => {
  expect((await sandbox.call('DELETE', '/api/v2/personFields/name')).status).toBe(403);
});

test('the field list pages by cursor', async () => {
  const first = (await sandbox.call('GET', '/api/v2/personFields?limit=3')).body;
  const cursor = first.additional_data.next_cursor;
  const second = (await sandbox.call('GET', `/api/v2/personFields?limit=500&cursor=${cursor}`))
    .body;
  const codes = [...first.data, ...second.data].map((field) => field.field_code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(codes).toEqual(expect.arrayContaining(['name', 'phone', 'label_ids', 'org_id']));
  expect(second.additional_data.next_cursor).toBeNull();
});
