import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.stop());

const create = async (path: string, body: object) =>
  (await sandbox.call('POST', path, body)).body.data;
const look = async (path: string) => {
  const response = await fetch(`${sandbox.url}${path}`);
  const type = response.headers.get('content-type');
  return { status: response.status, type, text: await response.text() };
};

test('a link to a person, an organization or a lead leads to a page about it', async () => {
  const { id: org } = await create('/api/v2/organizations', { name: 'Analytical Ltd' });
  const emails = [{ value: 'ada@example.com', primary: true, label: 'work' }];
  const { id: person } = await create('/api/v2/persons', { name: 'Ada', emails, org_id: org });
  const value = { amount: 5, currency: 'EUR' };
  const { id: lead } = await create('/v1/leads', { title: 'Engine', person_id: person, value });

  expect(await look(`/person/${person}`)).toMatchObject({
    status: 200,
    type: 'text/html; charset=utf-8',
    text: expect.stringMatching(/<h1>Ada<\/h1>.*Person in .*ada@example\.com/s),
  });
  expect((await look(`/organization/${org}`)).text).toContain('<h1>Analytical Ltd</h1>');
  expect((await look(`/leads/inbox/${lead}`)).text).toMatch(/<h1>Engine<\/h1>.*5 EUR/s);
});

test('what people typed stays text on the page', async () => {
  const { id } = await create('/api/v2/persons', { name: '<script>alert("1")</script>' });
  const { text } = await look(`/person/${id}`);
  expect(text).not.toContain('<script>');
  expect(text).toContain('&#60;script&#62;');
});

test.each(['/person/999999', '/person/x', '/leads/inbox/nope', '/deal/1', '/nothing'])(
  '%s is a page that says there is nothing',
  async (path) => {
    const { status, type } = await look(path);
    expect([status, type]).toEqual([404, 'text/html; charset=utf-8']);
  },
);

test('a record that was deleted has no page', async () => {
  const { id } = await create('/api/v2/persons', { name: 'Gone' });
  await sandbox.call('DELETE', `/api/v2/persons/${id}`);
  expect((await look(`/person/${id}`)).status).toBe(404);
});

test('the icon browsers ask for is empty, and looking is no use of the API', async () => {
  const before = (await sandbox.call('GET', '/control/requests?limit=1')).body;
  expect((await look('/favicon.ico')).status).toBe(204);
  await look('/person/1');
  expect((await sandbox.call('GET', '/control/requests?limit=1')).body).toEqual(before);
});

test('paths of the API still answer programs', async () => {
  const { status, type } = await look('/api/v2/nothing');
  expect([status, type]).toEqual([404, 'application/json; charset=utf-8']);
});
