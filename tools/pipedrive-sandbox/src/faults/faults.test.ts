import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
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

test('a late commit is written after its connection was cut, and not before its time', async () => {
  const before = await countPersons();
  const match = { method: 'POST', path: '/api/v2/persons' };
  const late = { kind: 'late-commit', match, ms: 25_000, times: 1 };
  await sandbox.call('POST', '/control/faults', late);
  await expect(create()).rejects.toThrow();
  expect(await countPersons()).toBe(before);
  await sandbox.call('POST', '/control/clock', { advanceMs: 24_000 });
  expect(await countPersons()).toBe(before);
  await sandbox.call('POST', '/control/clock', { advanceMs: 1_000 });
  await eventually(async () => expect(await countPersons()).toBe(before + 1));
  await eventually(async () => {
    const [newest] = (await sandbox.call('GET', '/control/requests?limit=1')).body;
    expect(newest).toMatchObject({ operationId: 'addPerson', status: null, price: 5 });
  });
});

test('a share of the requests is struck, the same ones for the same seed', async () => {
  const struck = async (seed: number) => {
    const fault = { kind: '500', share: 0.3, seed };
    await sandbox.call('POST', '/control/faults', fault);
    const statuses: number[] = [];
    for (let at = 0; at < 100; at += 1)
      statuses.push((await sandbox.call('GET', '/v1/users/me')).status);
    const [{ struck: counted }] = (await sandbox.call('GET', '/control/faults')).body;
    expect(counted).toBe(statuses.filter((status) => status === 500).length);
    await sandbox.call('DELETE', '/control/faults');
    return statuses;
  };
  const first = await struck(7);
  expect(await struck(7)).toEqual(first);
  expect(await struck(8)).not.toEqual(first);
  expect(first.filter((status) => status === 500).length).toBeGreaterThan(15);
  expect(first.filter((status) => status === 200).length).toBeGreaterThan(55);
});

test('times and share together strike that often and no more', async () => {
  await sandbox.call('POST', '/control/faults', { kind: '500', share: 0.5, times: 3 });
  const statuses: number[] = [];
  for (let at = 0; at < 40; at += 1)
    statuses.push((await sandbox.call('GET', '/v1/users/me')).status);
  expect(statuses.filter((status) => status === 500)).toHaveLength(3);
});

test('what has struck is counted for good', async () => {
  const { faultsStruck: before } = (await sandbox.call('GET', '/control/state')).body;
  await sandbox.call('POST', '/control/faults', { kind: '429', times: 1 });
  await sandbox.call('GET', '/v1/users/me');
  const { faultsStruck: after } = (await sandbox.call('GET', '/control/state')).body;
  expect(after['429']).toBe(before['429'] + 1);
});

test.each([[{ share: 1.5 }], [{ share: -0.1 }], [{ share: 'half' }]])(
  'a fault with %j is refused',
  async (more) => {
    const fault = { kind: '500', ...more };
    expect((await sandbox.call('POST', '/control/faults', fault)).status).toBe(400);
  },
);

test('the token endpoint can fail too', async () => {
  const match = { path: '/oauth/token' };
  await sandbox.call('POST', '/control/faults', { match, kind: '500', times: 1 });
  expect((await sandbox.call('POST', '/oauth/token', new URLSearchParams())).status).toBe(500);
});

test('an unknown kind is refused', async () => {
  expect((await sandbox.call('POST', '/control/faults', { kind: 'fire' })).status).toBe(400);
});
