import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterEach(() => sandbox.call('DELETE', '/control/faults'));
afterAll(() => sandbox.stop());

async function countPersons(): Promise<number> {
  return (await sandbox.call('GET', '/control/state')).body.counts.persons;
}

const create = () => sandbox.call('POST', '/api/v2/persons', { name: 'F' });

test('a connection cut before the commit leaves nothing behind', async () => {
  const before = await countPersons();
  const match = { method: 'POST', path: '/api/v2/persons' };
  await sandbox.call('POST', '/control/faults', { match, kind: 'cut-before', times: 1 });
  await expect(create()).rejects.toThrow();
  expect(await countPersons()).toBe(before);
  expect((await create()).status).toBe(200);
});

test('a connection cut after the commit leaves the record', async () => {
  const before = await countPersons();
  await sandbox.call('POST', '/control/faults', { kind: 'cut-after', times: 1 });
  await expect(create()).rejects.toThrow();
  expect(await countPersons()).toBe(before + 1);
  const [newest] = (await sandbox.call('GET', '/control/requests?limit=1')).body;
  expect(newest).toMatchObject({ operationId: 'addPerson', status: null, price: 5 });
});

test.each(['429', '500'])(
  '%s is answered as often as asked for, on matching paths only',
  async (kind) => {
    const match = { path: '/api/v2/organizations*' };
    await sandbox.call('POST', '/control/faults', { match, kind, times: 2 });
    const get = async (path: string) => (await sandbox.call('GET', path)).status;
    expect(await get('/api/v2/persons')).toBe(200);
    expect(await get('/api/v2/organizations/1')).toBe(Number(kind));
    expect(await get('/api/v2/organizations')).toBe(Number(kind));
    expect(await get('/api/v2/organizations')).toBe(200);
  },
);

test('latency delays and then answers, until removed', async () => {
  await sandbox.call('POST', '/control/faults', { kind: 'latency', ms: 80 });
  for (let at = 0; at < 2; at += 1) {
    const start = performance.now();
    expect((await sandbox.call('GET', '/v1/users/me')).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThan(70);
  }
  expect((await sandbox.call('GET', '/control/faults')).body).toHaveLength(1);
});

test('the token endpoint can fail too', async () => {
  const match = { path: '/oauth/token' };
  await sandbox.call('POST', '/control/faults', { match, kind: '500', times: 1 });
  expect((await sandbox.call('POST', '/oauth/token', new URLSearchParams())).status).toBe(500);
});

test('an unknown kind is refused', async () => {
  expect((await sandbox.call('POST', '/control/faults', { kind: 'fire' })).status).toBe(400);
});
