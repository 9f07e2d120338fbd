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
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { cancelRequest, redriveStep } from './commands.ts';
import { createResponders } from './responders.ts';
import {
  commandOf,
  createBystander,
  createWorld,
  leadStep,
  personStep,
  type World,
} from './test-world.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { log, lines } = captureLog();
const world = await createWorld({ db, pipedrive, log });
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

test('a sign-up becomes one person and its lead, linked, in well under a second', async () => {
  const startedAt = performance.now();
  const { writeRequestId } = await submit();
  const [person, lead] = await settled(writeRequestId);

  expect(performance.now() - startedAt).toBeLessThan(1_000);
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
  await settled(first.writeRequestId);
  const second = await submit(command);

  expect(second).toEqual({ writeRequestId: first.writeRequestId, repeated: true });
  expect(await bystander.list('person')).toHaveLength(1);
  expect(await bystander.list('lead')).toHaveLength(1);
});

test('a key used with another body is refused', async () => {
  const command = commandOf(of());
  await submit(command);
  const other = { ...command, steps: [personStep('other@example.test')] };

  await expect(submit(other)).rejects.toMatchObject({
    kind: 'conflict',
    detail: { reason: 'duplicate_idempotency_key' },
  });
});

test('a command arrives by request and is answered once it is stored', async () => {
  const { nats, stop } = await startTestNats();
  const responders = createResponders({ ...world.deps, wake: worker.wake });
  const quit = serveRequests({ nats, service: 'connections', responders, log });
  const command = commandOf(of());

  const answer = await ask(nats, SubmitWrite, command);

  expect(answer.repeated).toBe(false);
  await settled(answer.writeRequestId);
  expect(await bystander.list('lead')).toHaveLength(1);
  await quit();
  await stop();
});

test('an unknown field is refused by name and nothing is stored', async () => {
  await world.readCatalogue('person');
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

test('an existing person is found whatever the case of the address and updated (RF-23)', async () => {
  await bystander.create('person', {
    name: 'Old Name',
    emails: [{ value: 'Grace@Example.test', label: 'home', primary: true }],
  });
  const { writeRequestId } = await submit({ steps: [personStep('grace@example.test')] });
  const [step] = await settled(writeRequestId);

  expect(step).toMatchObject({ state: 'applied', effect: 'updated', changed_keys: ['name'] });
  const [person, ...others] = await bystander.list('person');
  expect(others).toEqual([]);
  expect(person).toMatchObject({ name: 'Ada Canary' });
});

test('a new address joins those a person has, which stay as they are', async () => {
  const made = await bystander.create('person', {
    name: 'Ada Canary',
    emails: [{ value: 'first@example.test', label: 'home', primary: true }],
  });
  const step = personStep('second@example.test', {
    identity: [{ kind: 'pipedrive_id', value: String(made.id) }],
  });
  await settled((await submit({ steps: [step] })).writeRequestId);

  const [person] = await bystander.list('person');
  expect(person?.['emails']).toEqual([
    { value: 'first@example.test', label: 'home', primary: true },
    { value: 'second@example.test', label: 'work', primary: false },
  ]);
});

test('blanks are filled and nothing else is touched where only that is allowed', async () => {
  await bystander.create('person', {
    name: 'Kept Name',
    emails: [{ value: 'blank@example.test', label: 'work', primary: true }],
  });
  const step = personStep('blank@example.test', {
    existing: 'fill_blanks',
    fields: { name: 'Ada Canary', phones: [{ value: '+1 555', label: 'work', primary: true }] },
  });
  const [settledStep] = await settled((await submit({ steps: [step] })).writeRequestId);

  expect(settledStep).toMatchObject({ state: 'applied', changed_keys: ['phones'] });
  const [person] = await bystander.list('person');
  expect(person).toMatchObject({ name: 'Kept Name', phones: [{ value: '+1 555' }] });
});

test('an existing person is left alone where the campaign says so, and gets no lead (RF-21)', async () => {
  const made = await bystander.create('person', {
    name: 'Kept Name',
    emails: [{ value: 'left@example.test', label: 'work', primary: true }],
  });
  const steps = [personStep('left@example.test', { existing: 'leave' }), leadStep()];
  const { writeRequestId } = await submit({ steps });
  const [person, lead] = await settled(writeRequestId);

  expect(person).toMatchObject({
    state: 'skipped',
    reason: 'existing_record_left_alone',
    pipedrive_id: String(made.id),
  });
  expect(lead).toMatchObject({ state: 'skipped', reason: 'previous_step_not_applied' });
  expect(await bystander.list('lead')).toHaveLength(0);
});

test('a person who already is as wished costs a look and no write', async () => {
  const email = 'same@example.test';
  await settled((await submit({ steps: [personStep(email)] })).writeRequestId);
  const [again] = await settled((await submit({ steps: [personStep(email)] })).writeRequestId);

  expect(again).toMatchObject({ state: 'no_change', reason: 'nothing_to_change', cost_tokens: 1 });
});

test('a field only a create sets is not written to an existing record (RF-20)', async () => {
  const email = 'defaults@example.test';
  const step = personStep(email, { createOnlyFields: { name: 'Never', visible_to: 3 } });
  await settled((await submit({ steps: [step] })).writeRequestId);
  await bystander.call('PATCH', `/api/v2/persons/${(await bystander.list('person'))[0]?.id}`, {
    visible_to: 1,
  });
  const [again] = await settled((await submit({ steps: [step] })).writeRequestId);

  expect(again?.state).toBe('no_change');
  expect((await bystander.list('person'))[0]).toMatchObject({ name: 'Ada Canary', visible_to: 1 });
});

test('several people with one address park the write with the candidates, until it is redriven', async () => {
  const body = { name: 'Twin', emails: [{ value: 'twin@example.test', primary: true }] };
  const one = await bystander.create('person', body);
  const two = await bystander.create('person', body);
  const steps = [personStep('twin@example.test'), leadStep()];
  const { writeRequestId } = await submit({ steps });
  const [parked] = await settled(writeRequestId, 'parked');

  expect(parked).toMatchObject({ state: 'parked', reason: 'several_matches' });
  expect(parked?.candidates.toSorted()).toEqual([String(one.id), String(two.id)].toSorted());
  expect(parked?.fix).toContain('redrive');

  await bystander.call('DELETE', `/api/v2/persons/${two.id}`);
  await redrive(parked?.id);
  await redrive(parked?.id);
  const [person, lead] = await settled(writeRequestId);
  expect(person).toMatchObject({ state: 'applied', pipedrive_id: String(one.id) });
  expect(lead?.state).toBe('applied');
});

test('what Pipedrive refuses is parked with its cause and the way out', async () => {
  const step = personStep('refused@example.test', { fields: { name: '', owner_id: 99_999 } });
  const { writeRequestId } = await submit({ steps: [step] });
  const [parked] = await settled(writeRequestId, 'parked');

  expect(parked).toMatchObject({ state: 'parked', reason: 'pipedrive_refused' });
  expect(parked?.cause).toMatch(/^Pipedrive answered 400/);
  expect(parked?.cause).not.toContain('refused@example.test');
});

test('a record that was deleted in Pipedrive is made anew', async () => {
  const email = 'gone@example.test';
  const [first] = await settled((await submit({ steps: [personStep(email)] })).writeRequestId);
  await bystander.call('DELETE', `/api/v2/persons/${first?.pipedrive_id}`);
  const [second] = await settled((await submit({ steps: [personStep(email)] })).writeRequestId);

  expect(second).toMatchObject({ state: 'applied', effect: 'created' });
  expect(second?.pipedrive_id).not.toBe(first?.pipedrive_id);
});

test('an organization is found by its exact name', async () => {
  const made = await bystander.create('organization', { name: 'Acme Inc' });
  const step = {
    name: 'org',
    operation: 'upsert' as const,
    object: 'organization' as const,
    identity: [{ kind: 'name' as const, value: 'acme inc' }],
    fields: { website: 'https://acme.test' },
  };
  const [settledStep] = await settled((await submit({ steps: [step] })).writeRequestId);

  expect(settledStep).toMatchObject({ effect: 'updated', pipedrive_id: String(made.id) });
});

test('while a connection is switched off its queue is kept, and drains afterwards', async () => {
  await world.setStatus('DISABLED');
  const { writeRequestId } = await submit();
  const other = await submitElsewhere();
  await settled(other.writeRequestId, undefined, other.world);

  expect((await world.stepsOf(writeRequestId))[0]).toMatchObject({ state: 'queued', attempts: 0 });
  await world.setStatus('ACTIVE');
  const [person] = await settled(writeRequestId);
  expect(person?.state).toBe('applied');
});

test('a write that waits can be cancelled and is never sent', async () => {
  await world.setStatus('DISABLED');
  const { writeRequestId: requestId } = await submit();
  const request = await cancelRequest(
    db,
    { workspaceId: world.workspaceId, requestId },
    new Date(),
  );
  await world.setStatus('ACTIVE');

  expect(request?.state).toBe('cancelled');
  const steps = await world.stepsOf(requestId);
  expect(steps.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
  expect(steps.every(({ sealed_body }) => sealed_body === null)).toBe(true);
  const next = await submit();
  await settled(next.writeRequestId);
  expect(await bystander.list('person')).toHaveLength(1);
});

test('two waiting updates of one person become one call; the older is superseded', async () => {
  const email = 'both@example.test';
  await settled((await submit({ steps: [personStep(email)] })).writeRequestId);
  await world.setStatus('DISABLED');
  const phones = [{ value: '+44', label: 'work', primary: true }];
  const older = await submit({ steps: [personStep(email, { fields: { name: 'Older', phones } })] });
  const newer = await submit({ steps: [personStep(email, { fields: { name: 'Newer' } })] });
  await world.setStatus('ACTIVE');

  const [first] = await settled(older.writeRequestId);
  const [second] = await settled(newer.writeRequestId);
  expect(first).toMatchObject({ state: 'superseded', reason: 'superseded_by_newer' });
  expect(second?.changed_keys.toSorted()).toEqual(['name', 'phones']);
  expect((await bystander.list('person'))[0]).toMatchObject({
    name: 'Newer',
    phones: [{ value: '+44' }],
  });
});

test('what a write cost is what Pipedrive charged, in the ledger, on the steps and in the event', async () => {
  const { writeRequestId } = await submit();
  const steps = await settled(writeRequestId);

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
  await settled(writeRequestId);

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
  const steps = await settled(writeRequestId);
  expect(
    steps.every(({ sealed_body, sealed_sent }) => sealed_body === null && sealed_sent === null),
  ).toBe(true);
});

test('many sign-ups at once, half of them of one person, leave one person per address', async () => {
  const emails = Array.from({ length: 20 }, (_, index) => `many${index % 10}@example.test`);
  const submitted = await Promise.all(
    emails.map((email) => submit({ steps: [personStep(email), leadStep()] })),
  );
  for (const { writeRequestId } of submitted) await settled(writeRequestId);

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

async function submitElsewhere() {
  const other = await createWorld({ db, pipedrive, log, vault: world.vault });
  const stored = await other.submit({});
  await settled(stored.writeRequestId, undefined, other);
  return { ...stored, world: other };
}

const redrive = async (stepId: Parameters<typeof redriveStep>[1]['stepId'] | undefined) => {
  if (stepId === undefined) throw new Error('no step');
  const { workspaceId } = world;
  await redriveStep(db, { workspaceId, stepId, idempotencyKey: undefined }, new Date());
  worker.wake();
};

/** The steps of a request once it has come to rest. */
async function settled(id: Parameters<World['stepsOf']>[0], state?: string, where: World = world) {
  return eventually(async () => {
    const [request] = await ownerRows<{ state: string }>(
      sql`select state from write_request where id = ${id}`,
    );
    expect(request?.state).not.toBe('pending');
    if (state !== undefined) expect(request?.state).toBe(state);
    else expect(request?.state).not.toBe('parked');
    return where.stepsOf(id);
  });
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
