import { ChangeId, ChangeSetId, WorkspaceId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../migrations/index.ts';
import type { Db, Tables } from '../store.ts';
import { createChanging } from '../../test/changing.ts';
import { named } from '../../test/people.ts';
import { createWorld } from '../../test/writing.ts';
import * as acting from './acting/store.ts';
import * as applying from './applying/store.ts';
import * as holding from './holding/store.ts';
import * as policy from './policy/store.ts';
import { defaultPolicy } from './policy/rules.ts';
import * as shown from './rows/shown/store.ts';
import * as rows from './rows/store.ts';
import * as sets from './store.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const A = world.workspaceId;
const B = newId('ws', WorkspaceId);
const id = await changing.plan([named(1, 'Ada')]);
const set = await changing.find(id);
const [change] = await changing.changes(id);
if (!change) throw new Error('nothing was stored');

const now = new Date();
const later = new Date(now.getTime() + 60_000);
const page = { limit: 10, backwards: false, cursor: undefined };
const requestIds = [change.write_request_id];
const someLease = { owner: 'b', now: later, until: later };
// as it is stored: without what the step says
const stored = await world.scoped((tx) => rows.findChange(tx, change.id));
if (!stored) throw new Error('the change was not stored');

await world.scoped(async (tx) => {
  await policy.setWritePolicy(tx, A, { policy: defaultPolicy, now });
  await sets.setChangeSet(tx, id, { images_until: now, undoes_id: id, kind: 'UNDO' });
  await sql`update change_set set state = 'applying', acting_connection_id = connection_id`.execute(
    tx,
  );
  await sql`update change set effect = 'update', pipedrive_id = '1', sealed_before = 'x'`.execute(
    tx,
  );
  await sql`update write_step set state = 'queued' where id = ${change.write_step_id}`.execute(tx);
});

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

type Calls<Module> = { [Name in keyof Module]: (tx: Db) => Promise<unknown> };

const setCalls: Calls<typeof sets> = {
  insertChangeSet: (tx) => sets.insertChangeSet(tx, { ...set, id: newId('cs', ChangeSetId) }),
  findChangeSet: (tx) => sets.findChangeSet(tx, id),
  lockChangeSet: (tx) => sets.lockChangeSet(tx, id),
  setChangeSet: (tx) => sets.setChangeSet(tx, id, { state: 'done' }),
  growChangeSet: (tx) => sets.growChangeSet(tx, id, { by: 1, most: 9, states: ['planning'] }),
  leaseChangeSet: (tx) => sets.leaseChangeSet(tx, someLease),
  extendSetLease: (tx) => sets.extendSetLease(tx, set, later),
  changeHeldSet: (tx) => sets.changeHeldSet(tx, set, { state: 'done' }),
  addSpent: (tx) => sets.addSpent(tx, set, 5),
  listSetsToForget: (tx) => sets.listSetsToForget(tx, { now: later, limit: 5, after: undefined }),
  listChangeSetsByIds: (tx) => sets.listChangeSetsByIds(tx, [id]),
  listUndosOf: (tx) => sets.listUndosOf(tx, [id]),
  listChangeSets: (tx) => sets.listChangeSets(tx, {}, { ...page, newestFirst: true }),
  countChangeSets: (tx) => sets.countChangeSets(tx, {}),
};

const rowCalls: Calls<typeof rows> = {
  insertChanges: (tx) =>
    rows.insertChanges(tx, [
      { ...stored, id: newId('ch', ChangeId), write_step_id: change.write_step_id },
    ]),
  findChange: (tx) => rows.findChange(tx, change.id),
  listChangesOfRequests: (tx) => rows.listChangesOfRequests(tx, requestIds),
  listUnplannedRequests: (tx) => rows.listUnplannedRequests(tx, id, 5),
  setChange: (tx) => rows.setChange(tx, change.id, { effect: 'none' }),
  listTaken: (tx) =>
    rows.listTaken(tx, id, { object: 'person', pipedriveIds: ['1'], keyHashes: ['a'] }),
  // over no changes at all it is the hash of nothing
  hashChanges: async (tx) => (await rows.hashChanges(tx, id)) !== EMPTY_HASH,
  tallyChanges: (tx) => rows.tallyChanges(tx, [id]),
  tallyObjects: (tx) => rows.tallyObjects(tx, id),
};

const shownCalls: Calls<typeof shown> = {
  listChanges: (tx) => shown.listChanges(tx, { setId: id, filter: {} }, page),
  countChanges: (tx) => shown.countChanges(tx, id, {}),
  listChangesByIds: (tx) => shown.listChangesByIds(tx, [change.id]),
};

const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const applyingCalls: Calls<typeof applying> = {
  listResting: (tx) => applying.listResting(tx, id, 5),
  countPending: async (tx) => {
    const { released, resting } = await applying.countPending(tx, id);
    return released + resting;
  },
  lookAtPending: async (tx) => {
    const { released, rests } = await applying.lookAtPending(tx, id, 5);
    return released > 0 || rests;
  },
  countReleasedChanges: (tx) => applying.countReleasedChanges(tx, id),
  releaseRequests: (tx) =>
    applying.releaseRequests(tx, requestIds, {
      ...{ connectionId: world.connection.id, userId: null, now },
    }),
  setChecked: (tx) => applying.setChecked(tx, [change.id], now),
  listRecallable: (tx) => applying.listRecallable(tx, id),
  setResting: (tx) => applying.setResting(tx, change.write_request_id),
  listRestingIds: (tx) => applying.listRestingIds(tx, id, 5),
  clearImages: (tx) => applying.clearImages(tx, id),
};

const policyCalls: Calls<typeof policy> = {
  findWritePolicy: (tx) => policy.findWritePolicy(tx),
  setWritePolicy: (tx) =>
    policy.setWritePolicy(tx, A, { policy: { ...defaultPolicy, image_days: 1 }, now }),
};

const actingCalls: Calls<typeof acting> = {
  lockSetsActing: (tx) => acting.lockSetsActing(tx, set.connection_id),
};

const holdingCalls: Calls<typeof holding> = {
  listHolds: (tx) => holding.listHolds(tx, [id], now),
  listPaces: (tx) => holding.listPaces(tx, [id]),
};

const modules = { sets, rows, shown, applying, acting, holding, policy };
const calls = {
  sets: setCalls,
  rows: rowCalls,
  shown: shownCalls,
  applying: applyingCalls,
  acting: actingCalls,
  holding: holdingCalls,
  policy: policyCalls,
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
    const tables = ['change_set', 'change', 'write_policy', 'write_request', 'write_step'];
    return Promise.all(
      tables.map((table) =>
        sql`select t::text from ${sql.table(table)} t order by 1`
          .execute(tx)
          .then((result) => result.rows),
      ),
    );
  });
