import { withWorkspace } from '@manifold/database';
import { createTestDatabase, silentLog, startTestGraph } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { newWorkspace } from '../../test/installation.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { schemaFiles } from '../subgraph.ts';
import { openVault } from './keyring.ts';
import { createVaultResolvers } from './resolvers.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const now = () => new Date('2026-03-01T10:00:00Z');
const { keyring } = await openVault({ db, now, log: silentLog }, [Buffer.alloc(32, 1)]);
const { graph, stop } = await startTestGraph({
  ...{ service: 'connections' as const, schemaFiles },
  resolvers: [createVaultResolvers({ db, keyring, now })],
  loaders: () => ({}),
});
afterAll(async () => {
  await stop();
  await drop();
});

const SHAPE = 'keyId rotatedAt isComplete masterKeyId';
const READ = `{ encryption { ${SHAPE} } }`;
const ROTATE = `mutation ($input: RotateEncryptionKeyInput!) {
  rotateEncryptionKey(input: $input) { encryption { ${SHAPE} } } }`;

const read = async (workspaceId = newWorkspace()) =>
  (await graph(READ, {}, { workspaceId, role: 'OWNER' })).data.encryption;
const rotate = async (workspaceId: ReturnType<typeof newWorkspace>, input: object = {}) =>
  (await graph(ROTATE, { input }, { workspaceId, role: 'OWNER' })).data.rotateEncryptionKey
    .encryption;

test('an owner sees how the workspace is encrypted, and gives it a key of its own', async () => {
  const [workspaceId, other] = [newWorkspace(), newWorkspace()];
  const before = await read(workspaceId);
  expect(before).toMatchObject({ rotatedAt: null, isComplete: true });
  expect(await rotate(workspaceId)).toMatchObject({
    rotatedAt: now().toISOString(),
    isComplete: false,
    masterKeyId: before.masterKeyId,
  });
  expect((await read(workspaceId)).rotatedAt).toBe(now().toISOString());
  expect(await read(other)).toEqual(before);
});

test('one key of a repeat makes one encryption key', async () => {
  const workspaceId = newWorkspace();
  const input = { idempotencyKey: 'k1' };
  const first = await rotate(workspaceId, input);
  expect(await rotate(workspaceId, input)).toEqual(first);
  // until everything is sealed anew, another one makes none either
  expect(await rotate(workspaceId, { idempotencyKey: 'k2' })).toEqual(first);
  const made = await withWorkspace(db, workspaceId, (tx) =>
    tx.selectFrom('data_key').select('id').where('purpose', '=', 'DATA').execute(),
  );
  expect(made).toHaveLength(1);
});

test.each(['ADMIN', 'MEMBER', 'VIEWER'] as const)(
  'the role %s neither sees nor changes how a workspace is encrypted',
  async (role) => {
    const workspaceId = newWorkspace();
    for (const [query, variables] of [
      [READ, {}],
      [ROTATE, { input: {} }],
    ] as const) {
      const { errors } = await graph(query, variables, { workspaceId, role });
      expect(errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'role_too_low' });
    }
    expect(await read(workspaceId)).toMatchObject({ rotatedAt: null });
  },
);
