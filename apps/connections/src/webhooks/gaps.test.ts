import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { acrossWorkspaces } from '@manifold/database';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
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

// each waits for several things in turn
vi.setConfig({ testTimeout: 120_000 });

/** A ceiling for a busy machine; what is awaited comes within a second or two. */
const soon = <Result>(assertion: () => Promise<Result>): Promise<Result> =>
  eventually(assertion, { timeoutMs: 30_000 });

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
      connection { id } startedAt asOf takenAt finishedAt } }`,
    { id: hooks.id },
  );
  return completeness[0];
};
const VERIFY = `mutation ($input: VerifyCompletenessInput!) {
  verifyCompleteness(input: $input) { certificate { id state } } }`;
const verify = async (repair: boolean) => {
  const input = { connectionId: hooks.id, object: 'PERSON', repair };
  const { id } = (await ask(VERIFY, { input })).verifyCompleteness.certificate;
  return soon(async () => {
    const current = await certificate();
    expect(current).toMatchObject({ id, finishedAt: expect.any(String) });
    return current;
  });
};
/** At rest it looks again within that; work under way is leased for longer, and notes at its end when more is due. */
const REST_MS = 60_000;
const sweepNow = () =>
  soon(() =>
    acrossWorkspaces(database.db, async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('record_registry')
        .set({ sweep_at: new Date(), due_at: new Date() })
        .where('due_at', '<=', new Date(Date.now() + REST_MS))
        .executeTakeFirst();
      expect(numUpdatedRows).toBe(1n);
    }),
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
  return soon(async () => {
    const seen = await health();
    expect(seen.webhookHealth.checkedAt).not.toBe(before);
    return seen.webhookHealth;
  });
};
const subscriptions = async (): Promise<{ id: number; is_active: boolean }[]> =>
  JSON.parse(JSON.stringify(await bystander.call('GET', '/api/v1/webhooks'))).data;
const person = async (name: string) => String((await bystander.create('person', { name })).id);

test('webhooks lost for a while: the certificate names the first missing id, a sweep tells of it, the next is clean', async () => {
  const ada = await person('Ada');
  await soon(async () => expect(await told()).toHaveLength(1));
  await ask(
    `mutation ($input: TrackRecordsInput!) { trackRecords(input: $input) { tracking { state } } }`,
    { input: { connectionId: hooks.id, object: 'PERSON', keys: [{ kind: 'EMAIL' }] } },
  );
  // the first reading, and the sweep over what changed during it
  await soon(async () => {
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
  await soon(async () =>
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
  await sweepNow();
  await soon(async () => expect(await told()).toHaveLength(5));
  const clean = await verify(true);
  expect(clean).toMatchObject({ state: 'CLEAN', pipedriveCount: 5, knownCount: 5, missing: 0 });
  expect(clean.knownHash).toBe(clean.pipedriveHash);
  const verified = await listEvents(database.db, hooks.workspaceId, 'completeness_verified');
  expect(verified.map(({ payload }) => payload.outcome)).toEqual(['BASELINE', 'GAPS', 'CLEAN']);
});

test('a subscription that disappeared is made anew, and what was lost meanwhile is told', async () => {
  for (const { id } of await subscriptions())
    await bystander.call('DELETE', `/api/v1/webhooks/${id}`);
  const lost = await person('Lost');
  expect(await check()).toMatchObject({ state: 'HEALTHY', repairedAt: expect.any(String) });
  await soon(async () =>
    expect((await told()).map(({ pipedriveId }) => pipedriveId)).toContain(lost),
  );
  const found = await person('Found');
  await soon(async () =>
    expect((await told()).map(({ pipedriveId }) => pipedriveId)).toContain(found),
  );
  expect(await subscriptions()).toHaveLength(1);
});

test('a subscription given up after three days without a success is told from a ban and made anew', async () => {
  const [{ id: given } = { id: 0 }] = await subscriptions();
  await bystander.call('POST', `/control/webhooks/${given}/delete`, { silence: true });
  const lost = await person('Given up');
  expect(await check()).toMatchObject({ state: 'HEALTHY', bannedUntil: null });
  expect(lines.join('\n')).toMatch(/"state":"REMOVED".*No successful deliveries in 3 days/);
  await soon(async () =>
    expect((await told()).map(({ pipedriveId }) => pipedriveId)).toContain(lost),
  );
  expect((await subscriptions()).map(({ id }) => id)).not.toContain(given);
});

test('a ban is noticed and lifted, and what was not sent meanwhile is told', async () => {
  const [{ id: given } = { id: 0 }] = await subscriptions();
  // as if ten deliveries had been refused
  await bystander.call('POST', `/control/webhooks/${given}/ban`, {});
  const unsent = await person('Unsent');
  const repairedAt = (await health()).webhookHealth.repairedAt;
  const repaired = await check();
  expect(repaired).toMatchObject({ state: 'HEALTHY', bannedUntil: null });
  expect(repaired.repairedAt).not.toBe(repairedAt);
  expect((await subscriptions()).map(({ is_active }) => Number(is_active))).toEqual([1]);
  await soon(async () =>
    expect((await told()).map(({ pipedriveId }) => pipedriveId)).toContain(unsent),
  );
  expect(await verify(true)).toMatchObject({ state: 'CLEAN' });
});

test('a comparison can be ended while it runs, and the one that waits for it then begins', async () => {
  const input = { connectionId: hooks.id, object: 'PERSON' };
  const begin = async () => (await ask(VERIFY, { input })).verifyCompleteness.certificate;
  await bystander.fault('500', { method: 'GET', path: '/api/v2/persons' }, 100);
  const { id } = await begin();
  await soon(async () => expect((await certificate()).asOf).not.toBeNull());
  const next = await begin();
  expect(next).toMatchObject({ state: 'WAITING' });
  expect((await begin()).id).toBe(next.id);
  const CANCEL = `mutation ($input: CancelVerificationInput!) {
    cancelVerification(input: $input) { certificate { id state finishedAt } } }`;
  const cancel = async (given: string) =>
    (await ask(CANCEL, { input: { id: given } })).cancelVerification.certificate;
  const state = 'CANCELLED';
  expect(await cancel(id)).toMatchObject({ id, state, finishedAt: expect.any(String) });
  await soon(async () =>
    expect(await certificate()).toMatchObject({ id: next.id, state: 'CHECKING' }),
  );
  expect(await cancel(next.id)).toMatchObject({ id: next.id, state });
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
  await soon(async () => {
    const [row] = await acrossWorkspaces(database.db, (tx) =>
      tx.selectFrom('webhook_health').selectAll().where('id', '=', hooks.id).execute(),
    );
    expect(row).toMatchObject({ rotate_at: null, previous_until: expect.any(Date) });
  });
  await person('With the new one');
  await soon(async () => expect((await told()).length).toBe(count + 2));
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
