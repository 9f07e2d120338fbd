import { ConnectionId, WorkspaceId, WriteRequestId, WriteStepId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import * as links from '../links/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Db, Tables } from '../store.ts';
import * as carried from './carried/store.ts';
import * as leasing from './sending/leasing/store.ts';
import * as sending from './sending/store.ts';
import * as turns from './sending/turns/store.ts';
import * as writes from './store.ts';
import { personStep } from '../../test/write-commands.ts';
import { createWorld } from '../../test/writing.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const A = world.workspaceId;
const B = newId('ws', WorkspaceId);
const { writeRequestId } = await world.submit({ steps: [personStep('tenant@example.test')] });
const [step] = await world.stepsOf(writeRequestId);
const request = await world.scoped((tx) => writes.findRequest(tx, writeRequestId));
if (!step || !request) throw new Error('nothing was stored');

const now = new Date();
const later = new Date(now.getTime() + 60_000);
const companyId = world.connection.company_id;
const connectionId = world.connection.id;
const keys: links.LinkKeys = {
  workspaceId: A,
  companyId,
  object: 'person',
  keyHashes: step.key_hashes,
};
const record = { companyId, object: 'person' as const, pipedriveId: '77' };
const page = { limit: 10, backwards: false, cursor: undefined, newestFirst: true };

// rows of A that every function below could reach if it saw them
await world.scoped(async (tx) => {
  await links.setLinks(tx, keys, { pipedriveId: '77', now });
  await links.claimLinks(tx, { ...keys, keyHashes: ['claimed'] }, { stepId: step.id, now });
  await sql`update write_step set state = 'unknown', sent_effect = 'created', pipedrive_id = '77',
    superseded_by = id, record_update_time = 'then', lease_owner = 'me', lease_until = now() where id = ${step.id}`.execute(
    tx,
  );
});

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

type Calls<Module> = { [Name in keyof Module]: (tx: Db) => Promise<unknown> };

const linkCalls: Calls<typeof links> = {
  listLinks: (tx) => links.listLinks(tx, keys),
  claimLinks: (tx) => links.claimLinks(tx, keys, { stepId: step.id, now }),
  setLinks: (tx) => links.setLinks(tx, keys, { pipedriveId: '78', now }),
  removeClaims: (tx) => links.removeClaims(tx, step.id),
  setLinksGone: (tx) => links.setLinksGone(tx, record, later),
  moveLinks: (tx) => links.moveLinks(tx, record, { pipedriveId: '78', now: later }),
};

const writeCalls: Calls<typeof writes> = {
  insertRequest: (tx) =>
    writes.insertRequest(tx, { ...request, id: newId('wr', WriteRequestId), idempotency_key: 'x' }),
  insertSteps: (tx) =>
    writes.insertSteps(tx, [{ ...step, id: newId('st', WriteStepId), position: 9 }]),
  findRequestByKey: (tx) => writes.findRequestByKey(tx, request.idempotency_key),
  findRequest: (tx) => writes.findRequest(tx, request.id),
  lockRequest: (tx) => writes.lockRequest(tx, request.id),
  setRequestState: (tx) =>
    writes.setRequestState(tx, request.id, { state: 'parked', reason: null, settled_at: now }),
  findStep: (tx) => writes.findStep(tx, step.id),
  listSteps: (tx) => writes.listSteps(tx, [request.id]),
  listStepsByIds: (tx) => writes.listStepsByIds(tx, [step.id]),
  listRequestsByIds: (tx) => writes.listRequestsByIds(tx, [request.id]),
  listRequests: (tx) => writes.listRequests(tx, {}, page),
  countRequests: (tx) => writes.countRequests(tx, {}),
  listOpenRequests: (tx) => writes.listOpenRequests(tx, connectionId),
};

const leasingCalls: Calls<typeof leasing> = {
  leaseSteps: (tx) =>
    leasing.leaseSteps(tx, {
      lanes: ['interactive'],
      limit: 5,
      owner: 'b',
      now: later,
      until: later,
    }),
  extendLeases: (tx) =>
    leasing.extendLeases(tx, {
      owner: 'me',
      steps: [{ workspace_id: A, id: step.id }],
      until: later,
    }),
};

const sendingCalls: Calls<typeof sending> = {
  changeHeldStep: (tx) => sending.changeHeldStep(tx, step, { state: 'applied' }, 1),
  changeIdleStep: (tx) => sending.changeIdleStep(tx, step.id, { state: 'cancelled' }),
  changeIdleSteps: (tx) => sending.changeIdleSteps(tx, [step.id], { state: 'cancelled' }),
  changeStepInDoubt: (tx) => sending.changeStepInDoubt(tx, step.id, { state: 'cancelled' }),
  lockHeldStep: (tx) => sending.lockHeldStep(tx, step),
  removeTurns: (tx) => sending.removeTurns(tx, step.id),
  liftLanes: (tx) => sending.liftLanes(tx, step, now),
  hasFollower: (tx) => sending.hasFollower(tx, step),
  lockFollower: (tx) => sending.lockFollower(tx, step),
};

const turnsCalls: Calls<typeof turns> = {
  insertTurns: (tx) => turns.insertTurns(tx, [step]),
  lockLinesOf: (tx) => turns.lockLinesOf(tx, [step]),
  // true: a step nobody sees here has to wait
  lineUpForRecords: async (tx) => !(await turns.lineUpForRecords(tx, step, ['77'])),
  moveTurns: (tx) => turns.moveTurns(tx, { from: step.id, to: newId('st', WriteStepId) }),
};

const carriedCalls: Calls<typeof carried> = {
  listCarried: (tx) => carried.listCarried(tx, step.id),
  listAllCarried: (tx) => carried.listAllCarried(tx, step),
  listJoined: (tx) => carried.listJoined(tx, [request.id]),
  lockRequests: (tx) => carried.lockRequests(tx, [request.id]),
  lockSteps: (tx) => carried.lockSteps(tx, [step.id]),
  setSavepoint: (tx) => carried.setSavepoint(tx),
  goBackToSavepoint: async (tx) => {
    await carried.setSavepoint(tx);
    await carried.goBackToSavepoint(tx);
  },
  moveCarried: (tx) => carried.moveCarried(tx, { from: step.id, to: newId('st', WriteStepId) }),
};

const modules = { carried, links, writes, leasing, sending, turns };
const calls = {
  carried: carriedCalls,
  links: linkCalls,
  writes: writeCalls,
  leasing: leasingCalls,
  sending: sendingCalls,
  turns: turnsCalls,
};
const cases = Object.entries(calls).flatMap(([module, table]) =>
  Object.entries(table).map(([name, run]) => [`${module}.${name}`, run] as const),
);

test.each(Object.entries(modules))(
  'every function of the store of %s is tried below',
  (name, module) => {
    const tried = cases.map(([path]) => path).filter((path) => path.startsWith(`${name}.`));
    expect(tried.toSorted()).toEqual(
      Object.keys(module)
        .map((key) => `${name}.${key}`)
        .toSorted(),
    );
  },
);

test.each(cases)('in another workspace %s finds and changes nothing', async (_, run) => {
  const before = await everything();
  const found = await withWorkspace(db, B, run).catch((error: unknown) => {
    expect(String(error)).toMatch(/row-level security|no result/i);
  });

  expect([undefined, null, false, 0, []]).toContainEqual(found);
  expect(await everything()).toEqual(before);
});

/** Every row of the stores, seen as nobody in the service can. */
const everything = () =>
  ownerDb.transaction().execute(async (tx) => {
    await sql`select set_config('manifold.workspace', '*', true)`.execute(tx);
    const tables = ['link', 'write_request', 'write_step', 'write_turn'];
    const rows = tables.map((table) =>
      sql`select t::text from ${sql.table(table)} t order by 1`
        .execute(tx)
        .then((result) => result.rows),
    );
    return Promise.all(rows);
  });

test('a connection of another workspace is one that does not exist', async () => {
  const elsewhere = await createWorld({ db, pipedrive, log: silentLog, eventually });
  const refusal = (id: ConnectionId) =>
    elsewhere.submit({ connectionId: id }).catch((error: unknown) => error);
  const foreign = await refusal(connectionId);
  const absent = await refusal(newId('cn', ConnectionId));

  expect(String(foreign).replace(connectionId, '')).toBe(
    String(absent).replace(/cn_[0-9a-f]+/, ''),
  );
  expect(foreign).toMatchObject({ detail: { reason: 'connection_missing' } });
});
