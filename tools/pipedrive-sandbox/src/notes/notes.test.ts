import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCaller } from '../testing/caller.ts';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;
let personId: number;

beforeAll(async () => {
  sandbox = await startTestSandbox();
  personId = (await sandbox.call('POST', '/api/v2/persons', { name: 'P' })).body.data.id;
});
afterAll(() => sandbox.stop());

const make = (body: object) => sandbox.call('POST', '/v1/notes', body);

test('the HTML of a note loses scripts and event handlers', async () => {
  const content = '<p onclick="x()">Hi</p><script>steal()</script><b>there</b>';
  const { data } = (await make({ content, person_id: personId })).body;
  expect(data.content).toBe('<p>Hi</p><b>there</b>');
});

test.each([
  ['nothing to hang on', { content: 'x' }],
  ['no content', { person_id: 1 }],
  ['a person that does not exist', { content: 'x', person_id: 999 }],
  ['a pin to what it does not hang on', { content: 'x', person_id: 1, pinned_to_deal_flag: 1 }],
  ['a project', { content: 'x', person_id: 1, project_id: 1 }],
  ['too much to say', { content: 'x'.repeat(100_001), person_id: 1 }],
])('a note with %s is refused', async (_, body) => {
  expect((await make(body)).status).toBe(400);
});

test('a deleted note leaves the lists, stays readable and cannot change', async () => {
  const { id } = (await make({ content: 'x', person_id: personId })).body.data;
  expect((await sandbox.call('DELETE', `/v1/notes/${id}`)).body).toEqual({
    success: true,
    data: true,
  });
  const listed = (await sandbox.call('GET', '/v1/notes')).body.data;
  expect(listed).not.toContainEqual(expect.objectContaining({ id }));
  expect((await sandbox.call('GET', `/v1/notes/${id}`)).body.data.active_flag).toBe(false);
  expect((await sandbox.call('PUT', `/v1/notes/${id}`, { content: 'y' })).status).toBe(404);
});

test('only an administrator changes the author', async () => {
  const { users } = (await sandbox.call('GET', '/control/state')).body;
  const [admin, ben] = users;
  const { id } = (await make({ content: 'x', person_id: personId })).body.data;
  const call = createCaller(sandbox.url, { 'x-api-token': ben.apiToken });
  const path = `/v1/notes/${id}`;
  expect((await call('PUT', path, { user_id: ben.id })).status).toBe(403);
  const { data } = (await sandbox.call('PUT', path, { user_id: ben.id })).body;
  expect([data.user_id, data.last_update_user_id]).toEqual([ben.id, admin.id]);
});

test('notes list by lead, newest first when asked, page by page', async () => {
  const lead = (await sandbox.call('POST', '/v1/leads', { title: 'L', person_id: personId })).body
    .data;
  for (const content of ['a', 'b', 'c']) await make({ content, lead_id: lead.id });
  const path = `/v1/notes?lead_id=${lead.id}&sort=id%20DESC&limit=2`;
  const { body } = await sandbox.call('GET', path);
  expect(body.data.map((note: { content: string }) => note.content)).toEqual(['c', 'b']);
  expect(body.additional_data.pagination.next_start).toBe(2);
});

test('add_time can be set', async () => {
  const body = { content: 'x', person_id: personId, add_time: '2020-01-02 03:04:05' };
  expect((await make(body)).body.data.add_time).toBe('2020-01-02 03:04:05');
});
