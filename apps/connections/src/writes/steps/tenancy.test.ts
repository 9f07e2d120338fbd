import { OverwriteId, WorkspaceId, WriteStepId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Db, Tables } from '../../store.ts';
import * as echoes from '../echoes/store.ts';
import * as hashes from '../hashes/store.ts';
import * as images from '../images/store.ts';
import * as overwrites from '../overwrites/store.ts';
import * as steps from './store.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const A = world.workspaceId;
const B = newId('ws', WorkspaceId);
const { writeRequestId } = await world.submit({ steps: [personStep('tenant@example.test')] });
const [step] = await world.stepsOf(writeRequestId);
if (!step) throw new Error('nothing was stored');

const now = new Date();
const past = new Date(now.getTime() - 1_000);
const companyId = world.connection.company_id;
const record = { companyId, object: 'person' as const, pipedriveId: '77' };
const hash: hashes.RecordHash = {
  workspace_id: A,
  company_id: companyId,
  object: 'person',
  pipedrive_id: '77',
  hashes: '{"name":["x"]}',
  update_time: past,
  seen_at: past,
};
const overwrite: overwrites.Overwrite = {
  workspace_id: A,
  id: newId('ow', OverwriteId),
  write_step_id: step.id,
  write_request_id: writeRequestId,
  connection_id: world.connection.id,
  company_id: companyId,
  object: 'person',
  pipedrive_id: '77',
  pipedrive_url: null,
  fields: ['name'],
  sealed_values: 'sealed',
  values_until: past,
  state: 'open',
  restored_by: null,
  actor_kind: 'service',
  actor_id: 'contacts',
  noticed_at: past,
  closed_at: null,
};
const page = { limit: 10, backwards: false, cursor: undefined, newestFirst: true };

// rows of A that every function below could reach if it saw them
await world.scoped(async (tx) => {
  await hashes.putHashes(tx, hash);
  await overwrites.insertOverwrite(tx, overwrite);
  await sql`update write_step set state = 'parked', pipedrive_id = '77', effect = 'created',
    sealed_before = 'sealed', sealed_after = 'sealed', images_until = ${past}, record_update_time = 'then'
    where id = ${step.id}`.execute(tx);
});

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

type Calls<Module> = { [Name in keyof Module]: (tx: Db) => Promise<unknown> };

const echoCalls: Calls<typeof echoes> = {
  listSentTo: (tx) => echoes.listSentTo(tx, { workspaceId: A, ...record, updateTime: 'then' }),
  listMadeByOthers: (tx) => {
    const other = newId('st', WriteStepId);
    return echoes.listMadeByOthers(tx, { ...step, id: other }, ['77']);
  },
  isCreateUnderWay: (tx) => {
    const other = newId('st', WriteStepId);
    return echoes.isCreateUnderWay(tx, { ...step, id: other }, now);
  },
  listOpenCreates: (tx) =>
    echoes.listOpenCreates(tx, { workspaceId: A, companyId, object: 'person', marks: [] }),
  setEcho: (tx) => echoes.setEcho(tx, step.id, { pipedriveId: '9', now }),
};
const hashCalls: Calls<typeof hashes> = {
  findHashes: (tx) => hashes.findHashes(tx, record),
  lockHashes: (tx) => hashes.lockHashes(tx, record),
  putHashes: (tx) => hashes.putHashes(tx, { ...hash, hashes: '{}', update_time: now }),
  removeHashes: (tx) => hashes.removeHashes(tx, record),
};
const imageCalls: Calls<typeof images> = {
  removeOldImages: (tx) => images.removeOldImages(tx, { now, limit: 10 }),
};
const overwriteCalls: Calls<typeof overwrites> = {
  listEchoedUpdates: (tx) =>
    overwrites.listEchoedUpdates(tx, { ...record, workspaceId: A, updateTime: 'then' }),
  insertOverwrite: (tx) =>
    overwrites.insertOverwrite(tx, {
      ...overwrite,
      id: newId('ow', OverwriteId),
      write_step_id: newId('st', WriteStepId),
    }),
  lockOverwrite: (tx) => overwrites.lockOverwrite(tx, overwrite.id),
  setOverwriteState: (tx) =>
    overwrites.setOverwriteState(tx, overwrite.id, {
      state: 'dismissed',
      closed_at: now,
      restored_by: null,
    }),
  listOverwritesByIds: (tx) => overwrites.listOverwritesByIds(tx, [overwrite.id]),
  listOverwrites: (tx) => overwrites.listOverwrites(tx, {}, page),
  countOverwrites: (tx) => overwrites.countOverwrites(tx, {}),
};
const stepCalls: Calls<typeof steps> = {
  listFilteredSteps: (tx) => steps.listFilteredSteps(tx, {}, page),
  countSteps: (tx) => steps.countSteps(tx, {}),
  listParkedSteps: (tx) => steps.listParkedSteps(tx, {}, 10),
};

const modules = { echoes, hashes, images, overwrites, steps };
const calls = {
  echoes: echoCalls,
  hashes: hashCalls,
  images: imageCalls,
  overwrites: overwriteCalls,
  steps: stepCalls,
};
const cases = Object.entries(calls).flatMap(([module, table]) =>
  Object.entries(table).map(([name, run]) => [`${module}.${name}`, run] as const),
);

test.each(Object.entries(modules))(
  'every function of the store of %s is tried below',
  (name, module) => {
    const tried = cases.map(([path]) => path).filter((path) => path.startsWith(`${name}.`));
    const functions = Object.keys(module).map((key) => `${name}.${key}`);
    expect(tried.toSorted()).toEqual(functions.toSorted());
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
    const rows = ['record_hash', 'overwrite', 'write_step'].map((table) =>
      sql`select t::text from ${sql.table(table)} t order by 1`
        .execute(tx)
        .then((result) => result.rows),
    );
    return Promise.all(rows);
  });
