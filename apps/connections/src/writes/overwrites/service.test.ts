import { ConnectionId, type FieldValue, UserId } from '@manifold/contracts';
import { acrossWorkspaces, newId } from '@manifold/database';
import { normaliseRecord } from '@manifold/pipedrive';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { listEvents } from '../../../test/looking.ts';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { sealSecret } from '../../accounts/tokens/credential.ts';
import { createAccountLoaders } from '../../accounts/loaders.ts';
import { insertConnection } from '../../accounts/store.ts';
import { setWritePolicy } from '../../changes/policy/store.ts';
import { defaultPolicy } from '../../changes/policy/rules.ts';
import { setCatalogue } from '../../fields/store.ts';
import { followRecordChange } from '../../links/commands.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { schemaFiles } from '../../subgraph.ts';
import { removeOldImages } from '../images/store.ts';
import { createWriteLoaders, createWriteResolvers } from '../resolvers.ts';
import type { SendingDeps } from '../sending/held.ts';
import { createOverwriteLoaders, createOverwriteResolvers } from './resolvers.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const closing: (() => Promise<void>)[] = [];
let world: World;
/** What a person does between our reading and our writing. */
let meanwhile: () => Promise<unknown>;

beforeEach(async () => {
  await bystander.reset();
  meanwhile = () => Promise.resolve();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  const clientFor: SendingDeps['clientFor'] = async (...use) => {
    const client = await world.deps.clientFor(...use);
    const updateRecord: typeof client.updateRecord = async (...args) => {
      await meanwhile();
      return client.updateRecord(...args);
    };
    return { ...client, updateRecord };
  };
  closing.push(world.startWorker({ clientFor }).stop);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('a value somebody set between our look and our write is noted, and can be put back', async () => {
  const id = await overwritten();
  const { graph } = await openGraph();
  const { overwrites } = (await graph(LIST, {})).data;
  expect(overwrites.nodes).toMatchObject([
    {
      object: 'PERSON',
      pipedriveId: id,
      fields: ['name'],
      state: 'OPEN',
      actor: { kind: 'SERVICE' },
    },
  ]);
  expect(await events()).toMatchObject([{ payload: { pipedriveId: id, fields: ['name'] } }]);

  const restored = await graph(RESTORE, { id: overwrites.nodes[0].id });
  const again = await graph(RESTORE, { id: overwrites.nodes[0].id });
  expect(restored.data.restoreOverwrite).toMatchObject({ overwrite: { state: 'RESTORED' } });
  expect(again.data).toEqual(restored.data);
  await world.settled(restored.data.restoreOverwrite.writeRequest.id);
  expect((await bystander.list('person'))[0]).toMatchObject({ name: 'By a person' });
});

test('what a user puts back goes through their own connection where there is one (SL-13)', async () => {
  await overwritten();
  const userId = newId('us', UserId);
  const own = await connectPersonally(userId);
  const step = await restoredBy(userId);
  expect(step).toMatchObject({ state: 'applied', connection_id: own.id });
});

test('what was written through a personal connection others put back through the shared one', async () => {
  await overwritten();
  const other = await connectPersonally(newId('us', UserId));
  await world.scoped((tx) => sql`update overwrite set connection_id = ${other.id}`.execute(tx));
  const step = await restoredBy(newId('us', UserId));
  expect(step).toMatchObject({ state: 'applied', connection_id: world.connection.id });
});

test('where there is no shared one, only the owner puts it back', async () => {
  await overwritten();
  const owner = newId('us', UserId);
  await world.setConnectionTo({ kind: 'PERSONAL', user_id: owner });
  const { graph } = await openGraph();
  const [{ id }] = (await graph(LIST, {})).data.overwrites.nodes;
  const refused = await graph(RESTORE, { id }, newId('us', UserId));
  expect(refused.errors[0].extensions).toMatchObject({
    reason: 'connection_of_another_user',
    field: 'input.id',
  });
  expect(await restoredBy(owner)).toMatchObject({ state: 'applied' });
});

test('what was edited again after our write is not put back over', async () => {
  const id = await overwritten();
  await edit(id, 'Edited again');
  const { graph } = await openGraph();
  const { overwrites } = (await graph(LIST, {})).data;
  const { data } = await graph(RESTORE, { id: overwrites.nodes[0].id });
  const [step] = await world.settled(data.restoreOverwrite.writeRequest.id);

  expect(step).toMatchObject({ state: 'skipped', reason: 'edited_since' });
  expect((await bystander.list('person'))[0]).toMatchObject({ name: 'Edited again' });
});

test('our own echo, seen twice or with what we planned on, is no overwrite', async () => {
  const id = await overwritten();
  await echo(id, { name: 'By a person' });
  expect(await events()).toHaveLength(1);

  meanwhile = () => Promise.resolve();
  await write('Third');
  await echo(id, { name: 'Ours' });
  expect(await events()).toHaveLength(1);
});

test('an overwrite can be let be', async () => {
  await overwritten();
  const { graph } = await openGraph();
  const [{ id }] = (await graph(LIST, {})).data.overwrites.nodes;
  const { data } = await graph(DISMISS, { id });
  expect(data.dismissOverwrite.overwrite.state).toBe('DISMISSED');
  const open = await graph(LIST, { filter: { state: ['OPEN'] } });
  expect(open.data.overwrites.totalCount).toBe(0);
});

test('lost values are gone after their time, and the way out says so', async () => {
  await overwritten();
  const later = new Date(Date.now() + 31 * 86_400_000);
  await acrossWorkspaces(db, (tx) => removeOldImages(tx, { now: later, limit: 1_000 }));
  const { graph } = await openGraph();
  const [{ id, restorableUntil }] = (await graph(LIST, {})).data.overwrites.nodes;
  expect(restorableUntil).toBeNull();
  const { errors } = await graph(RESTORE, { id });
  expect(errors[0].extensions).toMatchObject({ reason: 'undo_not_available' });
});

test('a lost value that its field takes no longer is refused at once, with the way out', async () => {
  await overwritten();
  const name = {
    object: 'person',
    code: 'name',
    name: 'name',
    type: 'date',
    custom: false,
  } as const;
  const { workspaceId, connection } = world;
  const of = { workspaceId, connectionId: connection.id, object: 'person', revision: 1 } as const;
  const at = new Date();
  await world.scoped((tx) => setCatalogue(tx, { ...of, fields: [name], readAt: at, askedAt: at }));
  const { graph } = await openGraph();
  const [{ id }] = (await graph(LIST, {})).data.overwrites.nodes;
  const { errors } = await graph(RESTORE, { id });
  expect(errors[0]).toMatchObject({
    message: expect.stringMatching(/^The field name takes /),
    extensions: {
      ...{ code: 'BAD_USER_INPUT', reason: 'field_type_mismatch', field: 'input.id' },
      fix: expect.stringContaining('its history there'),
    },
  });
  expect((await graph(LIST, {})).data.overwrites.nodes).toMatchObject([{ state: 'OPEN' }]);
});

test('a workspace that keeps no values notes no overwrites', async () => {
  const policy = { ...defaultPolicy, image_days: 0 };
  await world.scoped((tx) => setWritePolicy(tx, world.workspaceId, { policy, now: new Date() }));
  await overwritten();
  expect(await events()).toHaveLength(0);
});

// builders

const EMAIL = 'clobber@example.test';
const LIST = `query ($filter: OverwriteFilter) { overwrites(filter: $filter) { totalCount nodes {
  id object pipedriveId fields state restorableUntil actor { kind id } writeRequest { id } } } }`;
const RESTORE = `mutation ($id: ID!) { restoreOverwrite(input: { id: $id }) {
  overwrite { id state restoredBy { id } } writeRequest { id } } }`;
const DISMISS = `mutation ($id: ID!) { dismissOverwrite(input: { id: $id }) { overwrite { state } } }`;

const write = async (name: string) => {
  const steps = [personStep(EMAIL, { fields: { name } })];
  return (await world.settled((await world.submit({ steps })).writeRequestId))[0];
};
const edit = (id: string, name: string) =>
  bystander.call('PATCH', `/api/v2/persons/${id}`, { name });
const events = () => listEvents(db, world.workspaceId, 'record_overwritten');

/** A person whose name somebody changed just before we did. */
async function overwritten(): Promise<string> {
  const made = await write('First');
  const id = made?.pipedrive_id ?? '';
  meanwhile = () => edit(id, 'By a person');
  await write('Ours');
  await echo(id, { name: 'By a person' });
  return id;
}

/** The step that puts the one open overwrite back. */
async function restoredBy(userId: UserId) {
  const { graph } = await openGraph();
  const [{ id }] = (await graph(LIST, { filter: { state: ['OPEN'] } })).data.overwrites.nodes;
  const { data } = await graph(RESTORE, { id }, userId);
  return (await world.settled(data.restoreOverwrite.writeRequest.id))[0];
}

/** A user's own connection to the company. */
async function connectPersonally(userId: UserId) {
  const own = {
    ...world.connection,
    id: newId('cn', ConnectionId),
    user_id: userId,
    kind: 'PERSONAL' as const,
    pipedrive_user_id: '2',
    webhook_path_hash: `own ${userId}`,
  };
  const sealed = { column: 'access_token', secret: pipedrive.apiToken } as const;
  const access_token = sealSecret(world.vault, own, sealed);
  await world.scoped((tx) => insertConnection(tx, { ...own, access_token }));
  return own;
}

/** The webhook of our write. */
async function echo(pipedriveId: string, previous: Record<string, FieldValue>) {
  const [shown] = await bystander.list('person');
  const change = {
    workspaceId: world.workspaceId,
    companyId: world.connection.company_id,
    object: 'person' as const,
    pipedriveId,
    action: 'updated' as const,
    record: normaliseRecord('person', shown),
    previous,
  };
  await world.scoped((tx) =>
    followRecordChange(tx, change, { vault: world.vault, now: new Date() }),
  );
}

async function openGraph() {
  const deps = { db, vault: world.vault, now: () => new Date(), wake: () => undefined };
  const started = await startTestGraph({
    service: 'connections',
    schemaFiles,
    resolvers: [createWriteResolvers(deps), createOverwriteResolvers(deps)],
    loaders: (context) => ({
      ...createAccountLoaders({ db }, context),
      ...createWriteLoaders({ db }, context),
      ...createOverwriteLoaders({ db }, context),
    }),
  });
  closing.push(started.stop);
  const { workspaceId } = world;
  const graph = (query: string, variables: object, userId?: UserId) =>
    started.graph(query, variables, {
      ...{ workspaceId, role: 'MEMBER' as const },
      ...(userId === undefined ? {} : { userId }),
    });
  return { graph };
}
