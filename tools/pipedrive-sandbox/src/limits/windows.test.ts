import { afterEach, expect, test } from 'vitest';
import { createClock, startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';
import type { Limits } from './limits.ts';

let sandbox: TestSandbox;
let clock: ReturnType<typeof createClock>;

afterEach(() => sandbox.stop());

async function start(limits: Limits | 'off'): Promise<void> {
  clock = createClock();
  sandbox = await startTestSandbox({ limits, now: clock.now });
}

async function ask(count: number, path = '/v1/users/me'): Promise<number[]> {
  const answers: number[] = [];
  for (let at = 0; at < count; at += 1) answers.push((await sandbox.call('GET', path)).status);
  return answers;
}

const windows = async (limit = 100) =>
  (await sandbox.call('GET', `/control/windows?limit=${limit}`)).body;

test('the windows tell how much of the burst limit was used, and what part of the answers was 429', async () => {
  await start({ plan: 'lite', apiToken: 10 });
  for (const count of [1, 9, 12, 9, 1]) {
    await ask(count);
    clock.pass(2_000);
  }
  const { windows: list, ...summary } = await windows();
  expect(list.map(({ admitted }: { admitted: number }) => admitted)).toEqual([1, 9, 10, 9, 1]);
  expect(list[2]).toMatchObject({ refused: 2, mostInUse: 10, limit: 10 });
  expect(summary).toMatchObject({ admitted: 30, refused: 2, mostInUse: 10, used: 28 / 30 });
  expect(summary.refusedShare).toBeCloseTo(2 / 32);
  expect(list[0].caller).toMatch(/^api_token \d+$/);
});

test('idle windows in between count as unused', async () => {
  await start({ plan: 'lite', apiToken: 10 });
  for (const pause of [2_000, 6_000, 2_000]) {
    await ask(10);
    clock.pass(pause);
  }
  await ask(1);
  expect((await windows()).used).toBeCloseTo(20 / 40);
});

test('searches are counted apart, and without limits nothing is in use', async () => {
  await start('off');
  await ask(2);
  await ask(3, '/api/v2/persons/search?term=nobody');
  const { windows: list, used } = await windows();
  expect(list).toEqual([
    expect.objectContaining({ admitted: 5, searches: 3, mostInUse: null, limit: null }),
  ]);
  expect(used).toBeNull();
  await sandbox.call('DELETE', '/control/windows');
  expect(await windows()).toMatchObject({ admitted: 0, refusedShare: 0, windows: [] });
});

test('who goes on after many 429s is shut out for a minute, in HTML', async () => {
  await start({ plan: 'lite', apiToken: 2, blockAfter: 5 });
  expect(await ask(7)).toEqual([200, 200, 429, 429, 429, 429, 429]);
  const blocked = await sandbox.call('GET', '/v1/users/me');
  expect([blocked.status, blocked.headers.get('content-type')]).toEqual([
    403,
    'text/html; charset=utf-8',
  ]);
  clock.pass(30_000);
  expect(await ask(2)).toEqual([403, 403]);
  expect(await windows()).toMatchObject({ blocked: 3, refused: 5, admitted: 2 });
  const { tokens } = (await sandbox.call('GET', '/control/ledger')).body;
  expect(tokens).toBe(4);
  clock.pass(30_000);
  expect(await ask(1)).toEqual([200]);
});

test('429s that are far apart shut nobody out', async () => {
  await start({ plan: 'lite', apiToken: 1, blockAfter: 3 });
  for (let at = 0; at < 5; at += 1) {
    expect(await ask(2)).toEqual([200, 429]);
    clock.pass(6_000);
  }
});
