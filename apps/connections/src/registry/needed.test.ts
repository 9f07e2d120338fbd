import { ConnectionId, ReleaseRegistry, RequireRegistry } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { ask } from '@manifold/messaging';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newWorkspace, startInstallation } from '../../test/installation.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const workspaceId = newWorkspace();
let installation: Installation;
let connectionId: ConnectionId;

beforeAll(async () => {
  const urls = database.urls;
  installation = await startInstallation({ urls, natsUrl: nats.url, sandbox, log: silentLog });
  const { data } = await installation.graph(
    `mutation ($input: ConnectWithApiTokenInput!) {
      connectWithApiToken(input: $input) { connection { id } } }`,
    { input: { apiToken: sandbox.apiToken, kind: 'ORGANIZATION' } },
    { workspaceId },
  );
  connectionId = ConnectionId.parse(data.connectWithApiToken.connection.id);
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

const need = (feature = 'contacts') => ({
  ...{ workspaceId, connectionId, feature },
  object: 'person' as const,
});
const features = async (): Promise<string[]> => {
  const { data } = await installation.graph(
    'query ($id: ID!) { recordTracking(connectionId: $id) { features keys { kind } } }',
    { id: connectionId },
    { workspaceId },
  );
  return data.recordTracking.flatMap((tracking: { features: string[] }) => tracking.features);
};

test('an object is tracked for each who needs it, once however often it is said, until the last releases it', async () => {
  for (const feature of ['contacts', 'contacts', 'enrichment']) {
    const { state } = await ask(nats.nats, RequireRegistry, { ...need(feature), keys: [] });
    expect(['building', 'ready']).toContain(state);
  }
  expect((await features()).toSorted()).toEqual(['contacts', 'enrichment']);

  expect(await ask(nats.nats, ReleaseRegistry, need())).toEqual({ released: true });
  expect(await ask(nats.nats, ReleaseRegistry, need())).toEqual({ released: false });
  expect(await features()).toEqual(['enrichment']);
  await ask(nats.nats, ReleaseRegistry, need('enrichment'));
  await eventually(async () => expect(await features()).toEqual([]));
});

test('for a connection that is not there, or of another workspace, it is refused for good', async () => {
  const elsewhere = [
    { ...need(), connectionId: newId('cn', ConnectionId) },
    { ...need(), workspaceId: newWorkspace() },
  ];
  for (const question of elsewhere) {
    await expect(ask(nats.nats, RequireRegistry, { ...question, keys: [] })).rejects.toMatchObject({
      kind: 'precondition',
      detail: { reason: 'connection_missing' },
    });
    expect(await ask(nats.nats, ReleaseRegistry, question)).toEqual({ released: false });
  }
});

test('a key in a field nobody has is refused where it stands, with what was meant', async () => {
  const track = (keys: object[]) =>
    installation.graph(
      `mutation ($input: TrackRecordsInput!) { trackRecords(input: $input) { tracking { state } } }`,
      { input: { connectionId, object: 'ORGANIZATION', keys } },
      { workspaceId },
    );
  const { errors } = await track([{ kind: 'NAME' }, { kind: 'FIELD', field: 'webiste' }]);
  expect(errors[0].extensions).toMatchObject({
    ...{ code: 'BAD_USER_INPUT', reason: 'unknown_field', field: 'input.keys.1.field' },
    fix: expect.stringContaining('website'),
  });
  const misplaced = await track([{ kind: 'EMAIL' }]);
  expect(misplaced.errors[0].extensions.field).toBe('input.keys.0');
  expect(await features()).not.toContain('manual');
});

test('tracking and verifying with a key happen once, and an untracked repeat is told so', async () => {
  const mutate = async (name: string, type: string, input: object, selection: string) =>
    installation.graph(
      `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} } }`,
      { input: { connectionId, object: 'PRODUCT', ...input } },
      { workspaceId },
    );
  const track = (input: object) =>
    mutate(
      'trackRecords',
      'TrackRecordsInput',
      input,
      'tracking { object recordCount reason fix }',
    );
  const verify = (key: string) =>
    mutate(
      'verifyCompleteness',
      'VerifyCompletenessInput',
      { idempotencyKey: key },
      'certificate { id hasMore cause }',
    );
  const once = { idempotencyKey: 'track-1' };
  expect((await track(once)).data.trackRecords.tracking).toMatchObject({ object: 'PRODUCT' });
  expect((await track(once)).errors).toBeUndefined();
  const other = await track({ ...once, keys: [{ kind: 'NAME' }] });
  expect(other.errors[0].extensions.reason).toBe('duplicate_idempotency_key');
  const [first, again] = [await verify('verify-1'), await verify('verify-1')];
  expect(again.data.verifyCompleteness).toMatchObject({
    certificate: { id: first.data.verifyCompleteness.certificate.id },
  });
  await mutate('untrackRecords', 'UntrackRecordsInput', {}, 'untracked');
  await eventually(async () =>
    expect((await track(once)).errors?.[0].extensions.reason).toBe('not_tracked'),
  );
});
