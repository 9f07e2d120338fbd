import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClock, startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

const DAY_MS = 86_400_000;
const clock = createClock();
let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await startTestSandbox({ now: clock.now });
});
afterAll(() => sandbox.stop());

test('a record deleted thirty days ago is gone for good, and its id is never given again', async () => {
  const make = async (path: string, body: object): Promise<number> =>
    (await sandbox.call('POST', `/api/v2/${path}`, body)).body.data.id;
  const person = await make('persons', { name: 'P' });
  const deal = await make('deals', { title: 'D' });
  await sandbox.call('DELETE', `/api/v2/persons/${person}`);
  await sandbox.call('DELETE', `/api/v2/deals/${deal}`);
  const status = async (path: string) => (await sandbox.call('GET', `/api/v2/${path}`)).status;

  clock.pass(30 * DAY_MS);
  expect(await status(`persons/${person}`)).toBe(200);
  clock.pass(1_000);
  expect(await status(`persons/${person}`)).toBe(404);
  expect(await status(`deals/${deal}`)).toBe(404);
  const deleted = await sandbox.call('GET', '/api/v2/deals?status=deleted');
  expect(deleted.body.data).toEqual([]);
  expect(await make('persons', { name: 'Q' })).toBe(person + 1);
});

test('an organization leaves the search index with the purge', async () => {
  const body = { name: 'Ghostly' };
  const { id } = (await sandbox.call('POST', '/api/v2/organizations', body)).body.data;
  await sandbox.call('DELETE', `/api/v2/organizations/${id}`);
  const find = async () =>
    (await sandbox.call('GET', '/api/v2/organizations/search?term=ghostly')).body.data.items;
  expect(await find()).toHaveLength(1);
  clock.pass(31 * DAY_MS);
  expect(await find()).toEqual([]);
});
