import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog as log, startTestNats } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, expect, test } from 'vitest';
import { consume } from './consume.ts';
import { noteNumber, numbersOf, saveNumbered } from '../fixtures/counting.ts';
import { migrations, newCampaign, type Tables } from '../fixtures/notes.ts';
import { relayOutbox } from '../publishing/relay.ts';

const { db, urls, drop } = await createTestDatabase<Tables>(migrations);
const { nats, url: broker, stop: stopNats } = await startTestNats();
const script = new URL('../fixtures/replica.ts', import.meta.url).pathname;

const campaigns = Array.from({ length: 6 }, newCampaign);
const stops: (() => Promise<void>)[] = [];
const children: ChildProcess[] = [];
let written = 0;

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await stopNats();
  await drop();
});

test('one replica consumes at a time; one that stops hands over, in order and without repeats', async () => {
  const first = await startReplica();
  await write(10);
  await eventually(async () => expect(await countNoted()).toBeGreaterThan(0));
  const second = await startReplica();
  expect(await holders()).toBe(1);
  await Promise.all([write(40), first()]);
  await write(10);

  await everythingArrived();
  await eventually(async () => expect(await holders()).toBe(1));
  await second();
  expect(await holders()).toBe(0);
});

test('a killed replica is succeeded by one that stands by, which overtakes nothing it had in hand', async () => {
  const child = spawn(process.execPath, [script, urls.appUrl, broker], { stdio: 'ignore' });
  children.push(child);
  const before = await countNoted();
  await write(30);
  await eventually(async () => expect(await countNoted()).toBeGreaterThan(before), {
    timeoutMs: 20_000,
  });
  await startReplica();
  await write(30);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await write(30);

  await everythingArrived();
}, 60_000);

async function startReplica(): Promise<() => Promise<void>> {
  const stop = await consume({ db, nats, service: 'contacts', handlers: [noteNumber], log });
  stops.push(stop);
  return stop;
}

/** Publishes the next numbers of every campaign. */
async function write(times: number): Promise<void> {
  const first = written;
  written += times;
  for (let n = first; n < first + times; n += 1) {
    await Promise.all(campaigns.map((campaign) => saveNumbered(db, campaign, n)));
  }
  while ((await relayOutbox(db, nats)) > 0);
}

const everythingArrived = () =>
  eventually(
    async () => {
      const numbers = Array.from({ length: written }, (_, n) => n);
      expect(await numbersOf(db)).toEqual(new Map(campaigns.map((id) => [id, numbers])));
    },
    { timeoutMs: 20_000 },
  );

const countNoted = () =>
  acrossWorkspaces(db, async (tx) => {
    const { count } = await tx
      .selectFrom('note')
      .select((row) => row.fn.countAll<string>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(count);
  });

/** How many hold the lock of the one that consumes. */
async function holders(): Promise<number> {
  const { rows } = await sql`
    with consuming as (select hashtextextended('consuming|contacts', 0) as id)
    select from pg_locks, consuming where locktype = 'advisory' and granted
      and database = (select oid from pg_database where datname = current_database())
      and ((classid::bigint << 32) | objid::bigint) = consuming.id`.execute(db);
  return rows.length;
}
