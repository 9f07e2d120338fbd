import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const closing: (() => Promise<void>)[] = [];
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  closing.push(world.startWorker().stop);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('a merge keeps the survivor, and what the lost record was known by means the survivor (RS-35)', async () => {
  const [kept] = await write(personStep('kept@example.test'));
  const [lost] = await write(personStep('lost@example.test', { fields: { name: 'Twin' } }));
  const [merged] = await write(merge('lost@example.test', 'kept@example.test'));

  expect(merged).toMatchObject({
    state: 'applied',
    effect: 'merged',
    pipedrive_id: kept?.pipedrive_id,
    loser_pipedrive_id: lost?.pipedrive_id,
    // two looks and one merge
    cost_tokens: 42,
  });
  expect((await bystander.list('person')).map(({ id }) => String(id))).toEqual([
    kept?.pipedrive_id,
  ]);
  const [again] = await write(personStep('lost@example.test', { fields: { name: 'Twin' } }));
  expect(again).toMatchObject({ effect: 'updated', pipedrive_id: kept?.pipedrive_id });
});

test('a merge whose answer is lost is known by both records, and not repeated', async () => {
  const [kept] = await write(personStep('kept@example.test'));
  await write(personStep('lost@example.test', { fields: { name: 'Twin' } }));
  await bystander.fault('cut-after', { method: 'PUT' });
  const [merged] = await write(merge('lost@example.test', 'kept@example.test'));

  expect(merged).toMatchObject({ state: 'applied', effect: 'merged' });
  expect(merged?.pipedrive_id).toBe(kept?.pipedrive_id);
  const merges = (await bystander.requests()).filter(({ method }) => method === 'PUT');
  expect(merges).toHaveLength(1);
});

test('a merge can name the record an earlier step finds or makes as the one that stays', async () => {
  const [lost] = await write(personStep('lost@example.test'));
  const [kept, merged] = await write(
    personStep('new@example.test'),
    merge('lost@example.test', undefined, { survivor: 'person' }),
  );

  expect(kept?.effect).toBe('created');
  expect(merged).toMatchObject({
    effect: 'merged',
    pipedrive_id: kept?.pipedrive_id,
    loser_pipedrive_id: lost?.pipedrive_id,
  });
});

test('a record is never merged into itself or into none', async () => {
  const [kept] = await write(personStep('kept@example.test'));
  const [itself] = await write(merge('kept@example.test', 'kept@example.test'));
  expect(itself).toMatchObject({ state: 'no_change', pipedrive_id: kept?.pipedrive_id });

  const [absent] = await write(merge('nobody@example.test', 'kept@example.test'));
  expect(absent).toMatchObject({ state: 'skipped', reason: 'record_not_found' });

  const steps = [merge('kept@example.test', 'nobody@example.test')];
  const [parked] = await world.settled((await world.submit({ steps })).writeRequestId, 'parked');
  expect(parked).toMatchObject({ state: 'parked', reason: 'record_not_found' });
  expect(await bystander.list('person')).toHaveLength(1);
});

test('when the record to disappear goes at the last moment, what the other is known by stays', async () => {
  const [kept] = await write(personStep('kept@example.test'));
  const [lost] = await write(personStep('lost@example.test', { fields: { name: 'Twin' } }));
  const slow = { kind: 'latency', match: { method: 'PUT' }, ms: 1_500, times: 1 };
  await bystander.call('POST', '/control/faults', slow);
  const steps = [merge('lost@example.test', 'kept@example.test')];
  const { writeRequestId } = await world.submit({ steps });
  await world.reached(writeRequestId, 'sending');
  await bystander.call('DELETE', `/api/v2/persons/${lost?.pipedrive_id}`);
  const [skipped] = await world.settled(writeRequestId);
  expect(skipped).toMatchObject({ state: 'skipped', reason: 'record_not_found' });

  const links = await world.scoped((tx) => tx.selectFrom('link').selectAll().execute());
  expect(Object.fromEntries(links.map((link) => [link.pipedrive_id, link.state]))).toEqual({
    [kept?.pipedrive_id ?? '']: 'linked',
    [lost?.pipedrive_id ?? '']: 'gone',
  });
});

// builders

const write = async (...steps: ReturnType<typeof personStep>[]) =>
  world.settled((await world.submit({ steps })).writeRequestId);

const email = (value: string) => ({ kind: 'email' as const, value });

const merge = (
  loser: string,
  survivor: string | undefined,
  references: Record<string, string> = {},
): ReturnType<typeof personStep> => ({
  name: 'merge',
  operation: 'merge',
  object: 'person',
  identity: [email(loser)],
  fields: {},
  survivor: survivor === undefined ? [] : [email(survivor)],
  references,
});
