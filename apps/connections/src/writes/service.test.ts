import { SubmitWrite } from '@manifold/contracts';
import { ask, serveRequests } from '@manifold/messaging';
import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../test/bystander.ts';
import { askerOf, commandOf, leadStep, personStep } from '../../test/write-commands.ts';
import { createWorld, type World } from '../../test/writing.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { cancelRequest } from './commands.ts';
import { createResponders } from './responders.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { log, lines } = captureLog();
const world = await createWorld({ db, pipedrive, log, eventually });
let worker = world.startWorker();

beforeEach(async () => {
  await bystander.reset();
  worker = world.startWorker();
});
afterEach(() => worker.stop());
afterAll(async () => {
  await worker.stop();
  await pipedrive.stop();
  await drop();
});

test('a sign-up becomes one person and its lead, linked, with three calls and no pause', async () => {
  const { writeRequestId } = await submit();
  const [person, lead] = await world.settled(writeRequestId);

  const calls = (await bystander.requests()).toReversed().map(({ operationId }) => operationId);
  expect(calls.slice(0, 3)).toEqual(['searchPersons', 'addPerson', 'addLead']);
  // nothing was put off: each step was taken up where the one before it ended
  expect([person?.attempts, lead?.attempts, person?.fence, lead?.fence]).toEqual([0, 0, 2, 2]);
  expect(person?.not_before).toEqual(person?.created_at);
  expect(lead?.not_before).toEqual(person?.settled_at);
  expect(person).toMatchObject({ state: 'applied', effect: 'created', reason: null });
  expect(lead).toMatchObject({ state: 'applied', effect: 'created' });
  expect(await bystander.list('person')).toHaveLength(1);
  const [stored] = await bystander.list('lead');
  expect(stored).toMatchObject({ person_id: Number(person?.pipedrive_id), origin_id: lead?.id });
  expect(person?.pipedrive_url).toBe(`${pipedrive.url}/person/${person?.pipedrive_id}`);
  expect(lead?.pipedrive_url).toBe(`${pipedrive.url}/leads/inbox/${lead?.pipedrive_id}`);
});

test('one idempotency key is one write, however often it is asked for', async () => {
  const command = commandOf(of());
  const first = await submit(command);
  await world.settled(first.writeRequestId);
  const second = await submit(command);

  expect(second).toEqual({ writeRequestId: first.writeRequestId, repeated: true });
  expect(await bystander.list('person')).toHaveLength(1);
  expect(await bystander.list('lead')).toHaveLength(1);
});

test('a key used with another body is refused', async () => {
  const command = commandOf(of());
  const { writeRequestId } = await submit(command);
  const other = { ...command, steps: [personStep('other@example.test')] };

  await expect(submit(other)).rejects.toMatchObject({
    kind: 'conflict',
    detail: { reason: 'duplicate_idempotency_key' },
  });
  await world.settled(writeRequestId);
});

test('a command arrives by request and is answered once it is stored', async () => {
  const { nats, stop } = await startTestNats();
  const responders = createResponders({ ...world.deps, wake: worker.wake });
  const quit = serveRequests({ nats, service: 'connections', responders, log });
  const command = commandOf(of());

  const answer = await ask(nats, SubmitWrite, command);

  expect(answer.repeated).toBe(false);
  await world.settled(answer.writeRequestId);
  expect(await bystander.list('lead')).toHaveLength(1);
  await quit();
  await stop();
});

test('an unknown field is refused by name and nothing is stored', async () => {
  await world.readPersonFields();
  const code = 'f'.repeat(40);
  const step = personStep('field@example.test', { fields: { name: 'Ada', [code]: 'x' } });
  const command = commandOf(of(), { steps: [step] });

  await expect(submit(command)).rejects.toMatchObject({
    kind: 'invalid',
    detail: { reason: 'unknown_field', field: `steps.0.fields.${code}` },
  });
  const rows = await ownerRows(
    sql`select 1 from write_request where idempotency_key = ${command.idempotencyKey}`,
  );
  expect(rows).toHaveLength(0);
});

test('a connection that does not exist is refused for good', async () => {
  const connectionId = commandOf(of()).connectionId.replace(/.$/, (last) =>
    last === '0' ? '1' : '0',
  );
  await expect(submit({ ...commandOf(of()), connectionId })).rejects.toMatchObject({
    kind: 'precondition',
    detail: { reason: 'connection_missing' },
  });
});

test('while a connection is switched off its queue is kept, and drains afterwards (SL-15)', async () => {
  await world.setConnectionTo({ status: 'DISABLED' });
  const { writeRequestId } = await submit();
  await writeElsewhere();

  expect((await world.stepsOf(writeRequestId))[0]).toMatchObject({ state: 'queued', attempts: 0 });
  await world.setConnectionTo({ status: 'ACTIVE' });
  const [person] = await world.settled(writeRequestId);
  expect(person?.state).toBe('applied');
});

test('a write that waits can be cancelled and is never sent', async () => {
  await world.setConnectionTo({ status: 'DISABLED' });
  const { writeRequestId: requestId } = await submit();
  const request = await cancelRequest(
    db,
    { asker: askerOf(world.workspaceId), requestId },
    new Date(),
  );
  await world.setConnectionTo({ status: 'ACTIVE' });

  expect(request?.state).toBe('cancelled');
  const steps = await world.stepsOf(requestId);
  expect(steps.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
  expect(steps.every(({ sealed_body }) => sealed_body === null)).toBe(true);
  const next = await submit();
  await world.settled(next.writeRequestId);
  expect(await bystander.list('person')).toHaveLength(1);
});

test('two waiting updates of one person become one call; the older is superseded', async () => {
  const email = 'both@example.test';
  await world.settled((await submit({ steps: [personStep(email)] })).writeRequestId);
  await world.setConnectionTo({ status: 'DISABLED' });
  const phones = [{ value: '+44', label: 'work', primary: true }];
  const older = await submit({ steps: [personStep(email, { fields: { name: 'Older', phones } })] });
  const newer = await submit({ steps: [personStep(email, { fields: { name: 'Newer' } })] });
  await world.setConnectionTo({ status: 'ACTIVE' });

  const [first] = await world.settled(older.writeRequestId);
  const [second] = await world.settled(newer.writeRequestId);
  expect(first).toMatchObject({ state: 'superseded', reason: 'superseded_by_newer' });
  expect(second?.changed_keys.toSorted()).toEqual(['name', 'phones']);
  expect((await bystander.list('person'))[0]).toMatchObject({
    name: 'Newer',
    phones: [{ value: '+44' }],
  });
});

test('what a write cost is what Pipedrive charged, in the ledger, on the steps and in the event', async () => {
  const { writeRequestId } = await submit();
  const steps = await world.settled(writeRequestId);

  const charged = await bystander.ledger();
  expect(steps.map(({ cost_tokens }) => cost_tokens)).toEqual([25, 10]);
  expect(charged.tokens).toBe(35);
  const [ledger] = await ownerRows<{ tokens: number }>(
    sql`select coalesce(sum(tokens), 0)::int as tokens from api_call
      where at >= (select created_at from write_request where id = ${writeRequestId})`,
  );
  expect(ledger?.tokens).toBe(35);
  const [event] = await eventsOf(writeRequestId, 'connections.write_request_settled.v1');
  expect(event).toMatchObject({ outcome: 'succeeded', costTokens: 35 });
});

test('no address, name or token stands in a log, an event or a plain column', async () => {
  const { writeRequestId } = await submit({
    steps: [
      personStep('canary@example.test', {
        fields: {
          name: 'Canary Person',
          emails: [{ value: 'canary@example.test', label: 'work', primary: true }],
        },
      }),
      leadStep({ fields: { title: 'Canary Lead' } }),
    ],
  });
  await world.settled(writeRequestId);

  const tables = [
    'write_request',
    'write_step',
    'write_turn',
    'link',
    'api_call',
    'api_usage',
    'outbox',
    'connection',
  ];
  const kept: string[] = [lines.join('\n')];
  for (const table of tables) {
    const rows = await ownerRows<{ row: string }>(
      sql`select t::text as row from ${sql.table(table)} t`,
    );
    expect(rows.length, table).toBeGreaterThan(table === 'write_turn' ? -1 : 0);
    kept.push(rows.map(({ row }) => row).join('\n'));
  }
  for (const secret of [
    'canary@example.test',
    'Canary Person',
    'Canary Lead',
    pipedrive.apiToken,
  ]) {
    expect(kept.join('\n').toLowerCase()).not.toContain(secret.toLowerCase());
  }
});

test('nothing of a step that is done can be read any more', async () => {
  const { writeRequestId } = await submit();
  const steps = await world.settled(writeRequestId);
  expect(
    steps.every(({ sealed_body, sealed_sent }) => sealed_body === null && sealed_sent === null),
  ).toBe(true);
});

test('many sign-ups at once, half of them of one person, leave one person per address', async () => {
  const emails = Array.from({ length: 20 }, (_, index) => `many${index % 10}@example.test`);
  const submitted = await Promise.all(
    emails.map((email) => submit({ steps: [personStep(email), leadStep()] })),
  );
  for (const { writeRequestId } of submitted) await world.settled(writeRequestId);

  expect(await bystander.list('person')).toHaveLength(10);
  expect(await bystander.list('lead')).toHaveLength(20);
});

// builders

const of = () => ({ workspaceId: world.workspaceId, connectionId: world.connection.id });

async function submit(command: Parameters<World['submit']>[0] = {}) {
  const stored = await world.submit(command);
  worker.wake();
  return stored;
}

/** Has a write of another workspace done, by the same worker. */
async function writeElsewhere() {
  const other = await createWorld({ db, pipedrive, log, eventually, vault: world.vault });
  const { writeRequestId } = await other.submit({});
  await other.settled(writeRequestId);
}

async function ownerRows<Row>(query: ReturnType<typeof sql<Row>>): Promise<Row[]> {
  return ownerDb.transaction().execute(async (tx) => {
    await sql`select set_config('manifold.workspace', '*', true)`.execute(tx);
    return (await query.execute(tx)).rows;
  });
}

async function eventsOf(requestId: string, name: string) {
  const rows = await ownerRows<{ payload: Record<string, unknown> }>(
    sql`select body -> 'payload' as payload from outbox where key = ${requestId} and name = ${name}`,
  );
  return rows.map(({ payload }) => payload);
}
