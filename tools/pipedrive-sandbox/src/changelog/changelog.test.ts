import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClock, startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

const clock = createClock();
let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await startTestSandbox({ now: clock.now });
});
afterAll(() => sandbox.stop());

interface Line {
  field_key: string;
  old_value: string | null;
  new_value: string | null;
}
const pairs = (lines: Line[]) =>
  lines.map((line) => [line.field_key, line.old_value, line.new_value]);

test('every changed field has a line with who, when and from where', async () => {
  const { users } = (await sandbox.call('GET', '/control/state')).body;
  const { id } = (await sandbox.call('POST', '/api/v2/deals', { title: 'My Deel' })).body.data;
  const headers = { 'x-sandbox-change-source': 'app' };
  const patch = { title: 'My Deal', value: 100 };
  await sandbox.call('PATCH', `/api/v2/deals/${id}`, patch, headers);
  const { data } = (await sandbox.call('GET', `/v1/deals/${id}/changelog`)).body;
  expect(new Map(pairs(data).map(([key, ...values]) => [key, values]))).toEqual(
    new Map([
      ['title', ['My Deel', 'My Deal']],
      ['value', ['0', '100']],
    ]),
  );
  expect(data[0]).toMatchObject({
    actor_user_id: users[0].id,
    time: '2026-01-15 12:00:00',
    change_source: 'app',
    is_bulk_update_flag: false,
  });
});

test('custom fields stand under their v1 keys, subfields apart', async () => {
  const { fields } = (await sandbox.call('POST', '/control/generate', { seed: 1 })).body;
  const code = fields.person.monetary;
  const { id } = (await sandbox.call('POST', '/api/v2/persons', { name: 'P' })).body.data;
  const custom_fields = { [code]: { value: 200, currency: 'USD' } };
  await sandbox.call('PATCH', `/api/v2/persons/${id}`, { custom_fields });
  const { data } = (await sandbox.call('GET', `/v1/persons/${id}/changelog`)).body;
  expect(pairs(data)).toEqual([
    [`${code}_currency`, null, 'USD'],
    [code, null, '200'],
  ]);
});

test('the newest line comes first, and pages follow by cursor', async () => {
  const { id } = (await sandbox.call('POST', '/api/v2/organizations', { name: '0' })).body.data;
  for (const name of ['1', '2', '3'])
    await sandbox.call('PATCH', `/api/v2/organizations/${id}`, { name });
  const path = `/v1/organizations/${id}/changelog?limit=2`;
  const first = (await sandbox.call('GET', path)).body;
  expect(first.data.map((line: Line) => line.new_value)).toEqual(['3', '2']);
  const cursor = encodeURIComponent(first.additional_data.next_cursor);
  const second = (await sandbox.call('GET', `${path}&cursor=${cursor}`)).body;
  expect(second.data.map((line: Line) => line.new_value)).toEqual(['1']);
  expect(second.additional_data.next_cursor).toBeNull();
  expect((await sandbox.call('GET', `${path}&cursor=abc`)).status).toBe(400);
  expect((await sandbox.call('GET', '/v1/organizations/999/changelog')).status).toBe(404);
});
