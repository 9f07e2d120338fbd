import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;
let deal: Record<string, string>;
let personId: number;

beforeAll(async () => {
  sandbox = await startTestSandbox();
  const generated = await sandbox.call('POST', '/control/generate', { seed: 1, leads: 0 });
  deal = generated.body.fields.deal;
  personId = (await sandbox.call('POST', '/api/v2/persons', { name: 'P' })).body.data.id;
});
afterAll(() => sandbox.stop());

test('a lead has the custom fields of deals, flat, and only those that are set', async () => {
  const { options } = (await sandbox.call('GET', `/api/v2/dealFields/${deal.set}`)).body.data;
  const ids = options.slice(0, 2).map((option: { id: number }) => option.id);
  const created = await sandbox.call('POST', '/v1/leads', {
    title: 'L',
    person_id: personId,
    [`${deal.monetary}`]: 99.5,
    [`${deal.monetary}_currency`]: 'USD',
    [`${deal.set}`]: ids.join(','),
    [`${deal.daterange}`]: '2026-01-01',
    [`${deal.daterange}_until`]: '2026-02-01',
  });
  expect(created.status).toBe(201);
  const custom = Object.entries(created.body.data).filter(([key]) => /^[0-9a-f]{40}/.test(key));
  expect(Object.fromEntries(custom)).toEqual({
    [`${deal.monetary}`]: 99.5,
    [`${deal.monetary}_currency`]: 'USD',
    [`${deal.set}`]: ids.join(','),
    [`${deal.daterange}`]: '2026-01-01',
    [`${deal.daterange}_until`]: '2026-02-01',
  });
  const path = `/v1/leads/${created.body.data.id}`;
  const patched = await sandbox.call('PATCH', path, { [`${deal.monetary}`]: null, value: null });
  expect(`${deal.monetary}` in patched.body.data).toBe(false);
  expect(patched.body.data[`${deal.daterange}_until`]).toBe('2026-02-01');
});

test.each([
  ['no title', { person_id: 1 }],
  ['neither person nor organization', { title: 'L' }],
  ['a person that does not exist', { title: 'L', person_id: 999 }],
  ['a value without currency', { title: 'L', person_id: 1, value: { amount: 1 } }],
  ['an unknown label', { title: 'L', person_id: 1, label_ids: ['nope'] }],
  ['an unknown key', { title: 'L', person_id: 1, colour: 'red' }],
  ['an unknown custom field', { title: 'L', person_id: 1, ['a'.repeat(40)]: 'x' }],
])('a lead with %s is refused', async (_, body) => {
  expect((await sandbox.call('POST', '/v1/leads', body)).status).toBe(400);
});

test('archived leads have a list of their own and do not change until they are back', async () => {
  const body = { title: 'A', person_id: personId };
  const { id } = (await sandbox.call('POST', '/api/v1/leads', body)).body.data;
  await sandbox.call('PATCH', `/v1/leads/${id}`, { is_archived: true });
  const ids = async (path: string) =>
    (await sandbox.call('GET', path)).body.data.map((lead: { id: string }) => lead.id);
  expect(await ids('/v1/leads')).not.toContain(id);
  expect(await ids('/v1/leads/archived')).toEqual([id]);
  expect((await sandbox.call('PATCH', `/v1/leads/${id}`, { title: 'B' })).status).toBe(400);
  const back = await sandbox.call('PATCH', `/v1/leads/${id}`, { is_archived: false, title: 'B' });
  expect(back.body.data.title).toBe('B');
});

test('leads page by start and limit, oldest first', async () => {
  await sandbox.call('POST', '/control/generate', { seed: 2, persons: 3, leads: 7 });
  const first = (await sandbox.call('GET', '/v1/leads?limit=5')).body;
  expect(first.additional_data.pagination).toEqual({
    start: 0,
    limit: 5,
    more_items_in_collection: true,
    next_start: 5,
  });
  const rest = (await sandbox.call('GET', '/v1/leads?start=5')).body;
  expect(rest.additional_data.pagination.more_items_in_collection).toBe(false);
  const ids = [...first.data, ...rest.data].map((lead) => lead.id);
  expect(new Set(ids).size).toBe(ids.length);
  const none = await sandbox.call('GET', '/v1/leads?updated_since=2099-01-01T00:00:00Z');
  expect(none.body.data).toEqual([]);
});

test('a form body works on v1', async () => {
  const form = new URLSearchParams({ title: 'Form', person_id: String(personId) });
  expect((await sandbox.call('POST', '/v1/leads', form)).status).toBe(201);
});

test('lead fields are the deal fields in the older shape', async () => {
  const { data } = (await sandbox.call('GET', '/v1/leadFields?limit=500')).body;
  const choice = data.find((field: { key: string }) => field.key === deal.enum);
  expect(choice).toMatchObject({ field_type: 'enum', edit_flag: true, id: expect.any(Number) });
  expect(choice.options[0]).toEqual({ id: expect.any(Number), label: 'Gold' });
});
