import { randomUUID } from 'node:crypto';
import { normaliseRecord } from '@manifold/pipedrive';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { listEvents } from '../../../test/looking.ts';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { followRecordChange } from '../../links/commands.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import type { SendingDeps } from '../sending/held.ts';
import { isOwnEcho } from './commands.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const closing: (() => Promise<void>)[] = [];
let world: World;
/** What happens just before and just after our own change reaches Pipedrive. */
let before: () => Promise<unknown>;
let after: () => Promise<unknown>;

beforeEach(async () => {
  await bystander.reset();
  before = after = () => Promise.resolve();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  const clientFor: SendingDeps['clientFor'] = async (...use) => {
    const client = await world.deps.clientFor(...use);
    const updateRecord: typeof client.updateRecord = async (...args) => {
      await before();
      const outcome = await client.updateRecord(...args);
      await after();
      return outcome;
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

test('an edit by somebody while our update is under way is told as theirs, and ours as ours', async () => {
  const id = await written('First');
  const origins: Record<string, boolean> = {};
  before = async () => {
    const theirs = await edited(id, { name: 'By a person' });
    origins['theirs'] = await tell(theirs, { name: 'First' });
  };
  after = async () => {
    origins['ours'] = await tell(await shown(id), { name: 'By a person' });
  };
  await written('Ours');

  expect(origins).toEqual({ theirs: false, ours: true });
  expect(await listEvents(db, world.workspaceId, 'record_overwritten')).toMatchObject([
    { payload: { pipedriveId: id, fields: ['name'] } },
  ]);
});

test('an edit within the second of our update is told as theirs, even of another field', async () => {
  const id = await written('First');
  await written('Ours');
  const ours = await shown(id);
  expect(await tell(ours, { name: 'First' })).toBe(true);

  const sameField = { ...ours, fields: { ...ours.fields, name: 'By a person' } };
  expect(await tell(sameField, { name: 'Ours' })).toBe(false);
  const otherField = { ...ours, fields: { ...ours.fields, visible_to: 1 } };
  expect(await tell(otherField, { visible_to: 3 })).toBe(false);
});

test('what was found as it should be was not written: its change is of somebody else', async () => {
  const id = await written('First');
  const theirs = await edited(id, { name: 'Same wish' });
  await written('Same wish');

  expect(await tell(theirs, { name: 'First' })).toBe(false);
});

test('a delete of ours is told as ours whatever time it bears, a later one of somebody as theirs', async () => {
  const id = await written('First');
  const last = await shown(id);
  const steps = [personStep(EMAIL, { operation: 'delete', fields: {} })];
  await world.settled((await world.submit({ steps })).writeRequestId);
  const isOurs = (occurredAt: Date) => {
    // Pipedrive shows the time of the delete as the record's own
    const record = { ...last, updateTime: occurredAt.toISOString() };
    const change = { ...changeOf(record, 'updated'), action: 'deleted' as const, occurredAt };
    return world.scoped((tx) => isOwnEcho(tx, change, world.vault));
  };

  expect(await isOurs(new Date())).toBe(true);
  // restored in between
  expect(await isOurs(new Date(Date.now() + 120_000))).toBe(false);
});

test('among more open creates than one look takes, the one of a webhook is found', async () => {
  const oldest = await world.submit({ steps: [personStep('waits@example.test')] });
  await world.settled(oldest.writeRequestId);
  const [step] = await world.stepsOf(oldest.writeRequestId);
  await world.scoped(async (tx) => {
    await sql`update write_step set state = 'unknown', sent_at = now(), sent_effect = 'created',
      sealed_body = 'closed', pipedrive_id = null, not_before = now() + interval '1 day'
      where id = ${step?.id}`.execute(tx);
    await copies(tx, step?.id ?? '', 600);
  });
  const email = 'found@example.test';
  await bystander.fault('cut-after', { method: 'POST', path: '/api/v2/persons' });
  const late = await world.submit({ steps: [personStep(email)] });
  await world.reached(late.writeRequestId, 'unknown');
  const made = (await bystander.list('person')).find(({ emails }) =>
    JSON.stringify(emails).includes(email),
  );
  await follow(normaliseRecord('person', made), 'created');

  const [known] = await world.stepsOf(late.writeRequestId);
  expect(known?.echo_pipedrive_id ?? known?.pipedrive_id).toBe(String(made?.id));
});

// builders

const EMAIL = 'echo@example.test';

async function written(name: string): Promise<string> {
  const steps = [personStep(EMAIL, { fields: { name } })];
  const [step] = await world.settled((await world.submit({ steps })).writeRequestId);
  return step?.pipedrive_id ?? '';
}

async function shown(id: string) {
  const persons = await bystander.list('person');
  return normaliseRecord(
    'person',
    persons.find((person) => String(person.id) === id),
  );
}

async function edited(id: string, change: object) {
  await bystander.call('PATCH', `/api/v2/persons/${id}`, change);
  return shown(id);
}

type Shown = Awaited<ReturnType<typeof shown>>;

const changeOf = (record: Shown, action: 'created' | 'updated') => ({
  workspaceId: world.workspaceId,
  companyId: world.connection.company_id,
  object: 'person' as const,
  pipedriveId: record.id,
  action,
  record,
});

const follow = (record: Shown, action: 'created' | 'updated', previous?: Shown['fields']) =>
  world.scoped((tx) =>
    followRecordChange(
      tx,
      { ...changeOf(record, action), previous },
      { vault: world.vault, now: new Date() },
    ),
  );

/** What a webhook's arrival does; true when it is taken for our own. */
async function tell(record: Shown, previous: Shown['fields']): Promise<boolean> {
  await follow(record, 'updated', previous);
  const change = { ...changeOf(record, 'updated'), previous };
  return world.scoped((tx) => isOwnEcho(tx, change, world.vault));
}

/** So many more open creates like one. */
async function copies(
  tx: Parameters<Parameters<World['scoped']>[0]>[0],
  id: string,
  count: number,
) {
  const columns = await sql<{ names: string }>`
    select string_agg(quote_ident(column_name), ', ') as names from information_schema.columns
    where table_name = 'write_step' and column_name not in ('id', 'position')`.execute(tx);
  const names = sql.raw(columns.rows[0]?.names ?? '');
  await sql`insert into write_step (id, position, ${names})
    select ${randomUUID()} || number, number, ${names}
    from write_step, generate_series(1, ${sql.lit(count)}) number where id = ${id}`.execute(tx);
}
