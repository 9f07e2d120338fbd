import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { acrossWorkspaces } from '@manifold/database';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBystander } from '../../test/bystander.ts';
import { connectForDeliveries, type Deliveries } from '../../test/deliveries.ts';
import { type Installation, newWorkspace, startInstallation } from '../../test/installation.ts';
import { listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const bystander = createBystander(sandbox);
const { log, lines } = captureLog();
let installation: Installation;
let hooks: Deliveries;

beforeAll(async () => {
  installation = await startInstallation({
    urls: database.urls,
    natsUrl: nats.url,
    sandbox,
    log,
    // nothing is on its way for long here
    env: { WEBHOOK_GRACE_MS: 0 },
  });
  hooks = await connectForDeliveries(installation, {
    db: database.db,
    apiToken: sandbox.apiToken,
  });
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

const ask = async (query: string, variables: object = {}) => {
  const answer = await installation.graph(query, variables, hooks);
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
};
const told = async () => {
  const events = await listEvents(database.db, hooks.workspaceId, 'record_changed');
  return events.map(({ payload }) => payload);
};
const certificate = async () => {
  const { completeness } = await ask(
    `query ($id: ID!) { completeness(connectionId: $id) { id state object pipedriveCount knownCount
      missing firstMissingId stale extra repaired pipedriveHash knownHash costTokens
      connection { id } startedAt takenAt finishedAt } }`,
    { id: hooks.id },
  );
  return completeness[0];
};
const VERIFY = `mutation ($input: VerifyCompletenessInput!) {
  verifyCompleteness(input: $input) { certificate { id state } } }`;
const verify = async (repair: boolean) => {
  const input = { connectionId: hooks.id, object: 'PERSON', repair };
  const { id } = (await ask(VERIFY, { input })).verifyCompleteness.certificate;
  return eventually(
    async () => {
      const current = await certificate();
      expect(current).toMatchObject({ id, finishedAt: expect.any(String) });
      return current;
    },
    { timeoutMs: 10_000 },
  );
};
const due = (change: object) =>
  acrossWorkspaces(database.db, (tx) =>
    tx
      .updateTable('record_registry')
      .set({ ...change, due_at: new Date() })
      .execute(),
  );
const health = async () =>
  (
    await ask(
      `query ($id: ID!) { connection(id: $id) { webhooks webhookHealth {
        state checkedAt lastDeliveryAt lastStatus bannedUntil repairedAt } } }`,
      { id: hooks.id },
    )
  ).connection;
const check = async () => {
  const before = (await health()).webhookHealth.checkedAt;
  await ask(
    `mutation ($input: CheckWebhooksInput!) { checkWebhooks(input: $input) { connection { id } } }`,
    { input: { id: hooks.id } },
  );
  return eventually(async () => {
    const seen = await health();
    expect(seen.webhookHealth.checkedAt).not.toBe(before);
    return seen.webhookHealth;
  });
};
const person = async (name: string) => String((await bystander.create('person', { name })).id);

test('webhooks lost for a while: the certificate names the first missing id, a sweep tells of it, the next is clean', async () => {
  const ada = await person('Ada');
  await eventually(async () => expect(await told()).toHaveLength(1));
  await ask(
    `mutation ($input: TrackRecordsInput!) { trackRecords(input: $input) { tracking { state } } }`,
    { input: { connectionId: hooks.id, object: 'PERSON', keys: [{ kind: 'EMAIL' }] } },
  );
  // the first reading, and the sweep over what changed during it
  await eventually(async () => {
    expect(await certificate()).toMatchObject({ state: 'BASELINE' });
    const { recordTracking } = await ask(
      `query ($id: ID!) { recordTracking(connectionId: $id) { state nextSweepAt features recordCount
        object keys { kind field } connection { id } certifiedUntil sweptUntil } }`,
      { id: hooks.id },
    );
    expect(recordTracking).toMatchObject([
      { state: 'READY', features: ['manual'], recordCount: 1 },
    ]);
    expect(Date.parse(recordTracking[0].nextSweepAt)).toBeGreaterThan(Date.now());
  });
  await bystander.fault('drop-hook', { event: 'create.person' }, 3);
  const [bob] = [await person('Bob'), await person('Cy'), await person('Dora')];
  const eve = await person('Eve');
  await eventually(async () =>
    expect((await told()).map(({ pipedriveId }) => pipedriveId)).toEqual([ada, eve]),
  );
  const gaps = await verify(false);
  expect(gaps).toMatchObject({
    state: 'GAPS',
    pipedriveCount: 5,
    knownCount: 2,
    missing: 3,
    firstMissingId: bob,
    connection: { id: hooks.id },
  });
  expect(gaps.knownHash).not.toBe(gaps.pipedriveHash);
  await due({ sweep_at: new Date() });
  await eventually(async () => expect(await told()).toHaveLength(5));
  const clean = await verify(true);
  expect(clean).toMatchObject({ state: 'CLEAN', pipedriveCount: 5, knownCount: 5, missing: 0 });
  expect(clean.knownHash).toBe(clean.pipedriveHash);
  const verified = await listEvents(database.db, hooks.workspaceId, 'completeness_verified');
  expect(verified.map(({ payload }) => payload.outcome)).toEqual(['BASELINE', 'GAPS', 'CLEAN']);
});

test('a subscription that disappeared is made anew, and what was lost meanwhile is told', async () => {
  const subscriptions = () => bystander.call('GET', '/api/v1/webhooks');
  const before = JSON.parse(JSON.stringify(await subscriptions())).data;
  for (const { id } of before) await bystander.call('DELETE', `/api/v1/webhooks/${id}`);
  const lost = await person('Lost');
  expect(await check()).toMatchObject({ state: 'HEALTHY', repairedAt: expect.any(String) });
  await eventually(async () =>
    expect((await told()).map(({ pipedriveId }) => pipedriveId)).toContain(lost),
  );
  const found = await person('Found');
  await eventually(async () =>
    expect((await told()).map(({ pipedriveId }) => pipedriveId)).toContain(found),
  );
  expect(JSON.parse(JSON.stringify(await subscriptions())).data).toHaveLength(1);
});

test('a subscription given up after three days without a success is told from a ban and made anew', async () => {
  const subscriptions = async () =>
    JSON.parse(JSON.stringify(await bystander.call('GET', '/api/v1/webhooks'))).data;
  const [{ id: given }] = await subscriptions();
  await bystander.call('POST', `/control/webhooks/${given}/delete`, { silence: true });
  const lost = await person('Given up');
  expect(await check()).toMatchObject({ state: 'HEALTHY', bannedUntil: null });
  expect(lines.join('\n')).toMatch(/"state":"REMOVED".*No successful deliveries in 3 days/);
  await eventually(async () =>
    expect((await told()).map(({ pipedriveId }) => pipedriveId)).toContain(lost),
  );
  expect((await subscriptions()).map(({ id }: { id: number }) => id)).not.toContain(given);
});

test('a ban is noticed and lifted, and what was not sent meanwhile is told', async () => {
  const setPassword = (sealed: string) =>
    acrossWorkspaces(database.db, (tx) =>
      tx.updateTable('connection').set({ webhook_password: sealed }).execute(),
    );
  const [row] = await acrossWorkspaces(database.db, (tx) =>
    tx.selectFrom('connection').select(['webhook_password', 'webhook_path']).execute(),
  );
  if (row === undefined) throw new Error('there is no connection');
  const active = async () =>
    JSON.parse(JSON.stringify(await bystander.call('GET', '/api/v1/webhooks'))).data[0]?.is_active;
  // no delivery opens with another secret
  const { vault, id, workspaceId } = hooks;
  const column = 'webhook_password';
  await setPassword(
    vault.seal({ table: 'connection', workspaceId, id, column }, randomBytes(32).toString('hex')),
  );
  for (let n = 0; n < 10; n += 1) await person(`Refused ${n}`);
  await eventually(async () => expect(Number(await active())).toBe(0));
  const unsent = await person('Unsent');
  await setPassword(row.webhook_password);
  const repairedAt = (await health()).webhookHealth.repairedAt;
  const repaired = await check();
  expect(repaired).toMatchObject({ state: 'HEALTHY', bannedUntil: null });
  expect(repaired.repairedAt).not.toBe(repairedAt);
  expect(Number(await active())).toBe(1);
  await eventually(async () =>
    expect((await told()).map(({ pipedriveId }) => pipedriveId)).toContain(unsent),
  );
  expect(await verify(true)).toMatchObject({ state: 'CLEAN' });
});

test('a comparison can be ended while it runs', async () => {
  const input = { connectionId: hooks.id, object: 'PERSON' };
  await bystander.fault('500', { method: 'GET', path: '/api/v2/persons' });
  const { id } = (await ask(VERIFY, { input })).verifyCompleteness.certificate;
  const again = (await ask(VERIFY, { input })).verifyCompleteness.certificate;
  expect(again.id).toBe(id);
  const CANCEL = `mutation ($input: CancelVerificationInput!) {
    cancelVerification(input: $input) { certificate { id state finishedAt } } }`;
  const { certificate: ended } = (await ask(CANCEL, { input: { id } })).cancelVerification;
  expect(ended).toMatchObject({ id, state: 'CANCELLED', finishedAt: expect.any(String) });
  const stranger = { ...hooks, workspaceId: newWorkspace() };
  const foreign = await installation.graph(CANCEL, { input: { id } }, stranger);
  expect(foreign.errors[0].extensions.reason).toBe('record_not_found');
});

test('a new secret is used from the next delivery on, and nothing is lost in between', async () => {
  const count = (await told()).length;
  await ask(
    `mutation ($input: RotateWebhookSecretInput!) {
      rotateWebhookSecret(input: $input) { connection { id } } }`,
    { input: { id: hooks.id } },
  );
  // with the old secret, before Pipedrive knows the new one or just after
  expect(await hooks.deliver(hooks.change({ entity_id: '900001' }))).toBe(200);
  await eventually(async () => {
    const [row] = await acrossWorkspaces(database.db, (tx) =>
      tx.selectFrom('webhook_health').selectAll().where('id', '=', hooks.id).execute(),
    );
    expect(row).toMatchObject({ rotate_at: null, previous_until: expect.any(Date) });
  });
  await person('With the new one');
  await eventually(async () => expect((await told()).length).toBe(count + 2));
  await acrossWorkspaces(database.db, (tx) =>
    tx
      .updateTable('webhook_health')
      .set({ previous_until: new Date(Date.now() - 1) })
      .execute(),
  );
  expect(await hooks.deliver(hooks.change())).toBe(401);
  expect(lines.join('\n')).not.toContain(hooks.password);
});

test.each([
  ['trackRecords', 'TrackRecordsInput', { object: 'PERSON', keys: [] }, 'tracking { state }'],
  ['untrackRecords', 'UntrackRecordsInput', { object: 'PERSON' }, 'untracked'],
  ['verifyCompleteness', 'VerifyCompletenessInput', { object: 'PERSON' }, 'certificate { id }'],
])('%s needs the role ADMIN', async (name, type, input, selection) => {
  const answer = await installation.graph(
    `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} } }`,
    { input: { connectionId: hooks.id, ...input } },
    { ...hooks, role: 'MEMBER' },
  );
  expect(answer.errors[0].extensions.reason).toBe('role_too_low');
});
