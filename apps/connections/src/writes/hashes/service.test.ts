import type { FieldValue, PipedriveRecord } from '@manifold/contracts';
import { normaliseRecord } from '@manifold/pipedrive';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { dumpTables } from '../../../test/looking.ts';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { followRecordChange } from '../../links/commands.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const closing: (() => Promise<void>)[] = [];
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  await world.setConnectionTo({ webhook_state: 'ACTIVE' });
  closing.push(world.startWorker().stop);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('a person known to be as wished costs nothing while Pipedrive tells us of changes', async () => {
  await write();
  expect(await write()).toMatchObject({
    state: 'no_change',
    reason: 'nothing_to_change',
    cost_tokens: 0,
  });
});

test('without a working subscription, and for bulk work, the record is read', async () => {
  await write();
  expect(await write({ lane: 'bulk' })).toMatchObject({ state: 'no_change', cost_tokens: 1 });
  await world.setConnectionTo({ webhook_state: 'FAILED' });
  expect(await write()).toMatchObject({ state: 'no_change', cost_tokens: 1 });
});

test('after a change in Pipedrive the record is read and put right', async () => {
  const made = await write();
  const id = made?.pipedrive_id ?? '';
  await bystander.call('PATCH', `/api/v2/persons/${id}`, { name: 'By a person' });
  await told(id, 'updated');
  expect(await write()).toMatchObject({ effect: 'updated', changed_keys: ['name'] });
});

test('a field no step has asked for yet is looked at', async () => {
  await write();
  expect(await write({ fields: { name: 'Ada Canary', visible_to: 1 } })).toMatchObject({
    cost_tokens: 6,
    changed_keys: ['visible_to'],
  });
});

test('of two changes within one second neither is trusted, whichever is told last', async () => {
  const made = await write();
  const id = made?.pipedrive_id ?? '';
  const [first] = await bystander.list('person');
  const record = normaliseRecord('person', first);
  const updateTime = new Date(Date.parse(record.updateTime ?? '') + 60_000).toISOString();
  const later = { ...record, updateTime };
  await follow({ ...later, fields: { ...record.fields, name: 'Second change' } }, 'updated');
  // the one before it is told after it
  await follow(later, 'updated');
  await bystander.call('PATCH', `/api/v2/persons/${id}`, { name: 'Second change' });

  expect(await write()).toMatchObject({ effect: 'updated', changed_keys: ['name'] });
});

test('what is known of a record goes with it', async () => {
  const made = await write();
  const id = made?.pipedrive_id ?? '';
  await told(id, 'deleted');
  await bystander.call('DELETE', `/api/v2/persons/${id}`);
  expect(await write()).toMatchObject({ effect: 'created' });
});

test('nothing that is kept says what a record holds', async () => {
  await write();
  const dump = await dumpTables(db);
  expect(dump).not.toContain('Ada Canary');
  expect(dump).not.toContain(EMAIL);
});

// builders

const EMAIL = 'hash@example.test';

async function write(
  change: { lane?: 'interactive' | 'bulk'; fields?: Record<string, FieldValue> } = {},
) {
  const { lane = 'interactive', ...fields } = change;
  const { writeRequestId } = await world.submit({ lane, steps: [personStep(EMAIL, fields)] });
  return (await world.settled(writeRequestId))[0];
}

/** A webhook about the record as it is now. */
async function told(pipedriveId: string, action: 'updated' | 'deleted') {
  const shown = (await bystander.list('person')).find(({ id }) => String(id) === pipedriveId);
  await follow(normaliseRecord('person', shown), action);
}

async function follow(record: PipedriveRecord, action: 'updated' | 'deleted') {
  const change = {
    workspaceId: world.workspaceId,
    companyId: world.connection.company_id,
    object: 'person' as const,
    pipedriveId: record.id,
    action,
    record,
  };
  await world.scoped((tx) =>
    followRecordChange(tx, change, { vault: world.vault, now: new Date() }),
  );
}
