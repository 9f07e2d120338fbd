import { ConnectionId, UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { createBystander } from '../../../test/bystander.ts';
import { leadStep, personStep } from '../../../test/write-commands.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { sealSecret } from '../../accounts/tokens/credential.ts';
import { insertConnection } from '../../accounts/store.ts';
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
  closing.push(world.startWorker().stop);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

const email = 'ada@example.test';
const write = async (...steps: Parameters<World['submit']>[0]['steps'] & object) =>
  world.settled((await world.submit({ steps })).writeRequestId);

test('a record is found by a custom field, exactly', async () => {
  const field = fieldShape.parse(
    await bystander.call('POST', '/api/v2/organizationFields', {
      field_name: 'Shop key',
      field_type: 'varchar',
    }),
  ).data.field_code;
  const of = (name: string, key: string) =>
    bystander.create('organization', { name, custom_fields: { [field]: key } });
  await of('Other', 'shop-10');
  const made = await of('Wanted', 'shop-1');
  const step = {
    name: 'org',
    operation: 'upsert' as const,
    object: 'organization' as const,
    identity: [{ kind: 'field' as const, field, value: 'shop-1' }],
    fields: { name: 'Renamed' },
  };
  const [found] = await write(step);
  expect(found).toMatchObject({ effect: 'updated', pipedrive_id: String(made.id) });

  const [created] = await write({ ...step, identity: [{ kind: 'field', field, value: 'shop-2' }] });
  expect(created?.effect).toBe('created');
  const [again] = await write({ ...step, identity: [{ kind: 'field', field, value: 'shop-2' }] });
  expect(again).toMatchObject({ state: 'no_change', pipedrive_id: created?.pipedrive_id });
});

test('a record is deleted once, and was gone the second time', async () => {
  await write(personStep(email));
  const step = personStep(email, { operation: 'delete', fields: {} });
  const [first] = await write(step);
  expect(first).toMatchObject({ state: 'applied', effect: 'deleted' });
  expect(await bystander.list('person')).toHaveLength(0);

  const [second] = await write(step);
  expect(second).toMatchObject({ state: 'no_change', reason: 'record_gone' });
});

test('a delete whose answer is lost is not repeated', async () => {
  await write(personStep(email));
  await bystander.fault('cut-after', { method: 'DELETE' });
  const [step] = await write(personStep(email, { operation: 'delete', fields: {} }));
  expect(step).toMatchObject({ state: 'applied', effect: 'deleted' });
});

test('linking notes which record is meant and writes nothing', async () => {
  const made = await bystander.create('person', { name: 'Known otherwise', emails: [] });
  const id = { kind: 'pipedrive_id' as const, value: String(made.id) };
  const identity = [id, { kind: 'email' as const, value: email }];
  const [linked] = await write(personStep(email, { operation: 'link', identity, fields: {} }));
  expect(linked).toMatchObject({ state: 'applied', effect: 'linked' });

  const [updated] = await write(personStep(email));
  expect(updated).toMatchObject({ effect: 'updated', pipedrive_id: String(made.id) });
});

test('one cause makes one lead, however many requests it sends', async () => {
  const cause = { service: 'referrals', type: 'ReferralUser', id: 'ru_once' };
  const steps = [personStep(email), leadStep()];
  const first = await world.settled((await world.submit({ cause, steps })).writeRequestId);
  const second = await world.settled((await world.submit({ cause, steps })).writeRequestId);
  expect(second[1]).toMatchObject({ state: 'no_change', pipedrive_id: first[1]?.pipedrive_id });
  expect(await bystander.list('lead')).toHaveLength(1);
});

test('a lead that is only for new people is made once for each', async () => {
  const lead = leadStep({ guard: 'only_if_created' });
  const first = await write(personStep(email), lead);
  const second = await write(personStep(email, { fields: { name: 'Changed' } }), lead);
  expect(first[1]?.effect).toBe('created');
  expect(second[1]).toMatchObject({ state: 'skipped', reason: 'previous_step_not_applied' });
});

test('a record named by an id that is gone is parked, never made anew', async () => {
  const identity = [{ kind: 'pipedrive_id' as const, value: '999999' }];
  const stored = await world.submit({ steps: [personStep(email, { identity })] });
  const [step] = await world.settled(stored.writeRequestId, 'parked');
  expect(step).toMatchObject({ reason: 'record_gone' });
  expect(await bystander.list('person')).toHaveLength(0);
});

test('what a user does by hand goes through their own connection where there is one (SL-13)', async () => {
  const userId = newId('us', UserId);
  const own = await connectPersonally(userId);

  const steps = [personStep(email)];
  const [theirs] = await world.settled(
    (await world.submit({ steps, actingUserId: userId })).writeRequestId,
  );
  const [shared] = await world.settled(
    (await world.submit({ steps, actingUserId: newId('us', UserId) })).writeRequestId,
  );
  expect([theirs?.connection_id, theirs?.effect]).toEqual([own.id, 'created']);
  // links belong to the company, so the other connection knows the record
  expect([shared?.connection_id, shared?.state]).toEqual([world.connection.id, 'no_change']);
});

test('nobody but its owner writes through a personal connection (SL-13)', async () => {
  const owner = newId('us', UserId);
  const { id: connectionId } = await connectPersonally(owner);
  const steps = [personStep(email)];
  const others = [
    {},
    { actor: { kind: 'user' as const, id: newId('us', UserId) } },
    { actingUserId: newId('us', UserId) },
  ];
  for (const other of others) {
    await expect(world.submit({ steps, connectionId, ...other })).rejects.toMatchObject({
      kind: 'forbidden',
      detail: {
        reason: 'connection_of_another_user',
        field: 'connectionId',
        fix: expect.any(String),
      },
    });
  }

  const byOwner = await world.submit({ steps, connectionId, actor: { kind: 'user', id: owner } });
  const forOwner = await world.submit({ steps, connectionId, actingUserId: owner });
  for (const { writeRequestId } of [byOwner, forOwner]) {
    expect(await world.settled(writeRequestId)).toMatchObject([{ connection_id: connectionId }]);
  }
});

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

const fieldShape = z.object({ data: z.object({ field_code: z.string() }) });
