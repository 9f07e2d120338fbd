import { UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import type { Outcome, PipedriveClient } from '@manifold/pipedrive';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWorld, type World } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createField } from './commands.ts';

const database = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
let world: World;
let client: PipedriveClient;
let made = 0;

beforeAll(async () => {
  const { db } = database;
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  const { workspaceId, connection, deps } = world;
  client = await deps.clientFor(workspaceId, connection.id, {
    ...{ lane: 'interactive', feature: 'fields' },
  });
});
afterAll(async () => {
  await pipedrive.stop();
  await database.drop();
});

const answering = (outcome: Outcome<never>): PipedriveClient => ({
  ...client,
  createField: async () => {
    made += 1;
    return outcome;
  },
});

const create = (name: string, change: { cap?: number; now?: Date; through?: PipedriveClient }) =>
  createField(
    {
      ...world.deps,
      now: () => change.now ?? new Date(),
      customFieldCap: change.cap ?? 500,
    },
    change.through ?? client,
    {
      connection: world.connection,
      object: 'person',
      asker: {
        workspaceId: world.workspaceId,
        actor: { kind: 'user', id: newId('us', UserId) },
        correlationId: 'test',
      },
      name,
      type: 'varchar',
      options: undefined,
    },
  );

const full = {
  kind: 'precondition',
  detail: { reason: 'field_limit_reached', fix: expect.stringContaining('plan') },
};
const at = (hours: number) => new Date(Date.now() + hours * 3_600_000);

test('a company at the limit of its plan is told so before Pipedrive is asked', async () => {
  const fields = await client.listFields('person');
  const custom = fields.outcome === 'ok' ? fields.data.filter((field) => field.custom).length : 0;
  await expect(
    create('One more', { cap: custom, through: answering({ outcome: 'blocked' }) }),
  ).rejects.toMatchObject(full);
  expect(made).toBe(0);
});

test('what Pipedrive refuses is learned, believed for a day, and then tried again', async () => {
  const refused = {
    outcome: 'refused',
    status: 403,
    message: 'Limit reached',
    code: 'feature_capping_custom_fields_limit',
  } as const;
  const through = answering(refused);
  made = 0;
  await expect(create('Over', { through })).rejects.toMatchObject(full);
  await expect(create('Over', { through })).rejects.toMatchObject(full);
  expect(made).toBe(1);
  expect(await create('Over', { now: at(25) })).toMatchObject({ created: true });
});

test('a field of unknown end is not made a second time before it can be seen', async () => {
  const through = answering({ outcome: 'unknown', cause: 'ECONNRESET' });
  const later = at(50);
  await expect(create('Unsure', { through, now: later })).rejects.toMatchObject({
    kind: 'unavailable',
  });
  await expect(create('Unsure', { now: later })).rejects.toMatchObject({
    message: 'Another field of this company is being made',
  });
  const muchLater = new Date(later.getTime() + 61_000);
  expect(await create('Unsure', { now: muchLater })).toMatchObject({ created: true });
});
