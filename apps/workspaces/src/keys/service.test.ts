import {
  createTestDatabase,
  silentLog as log,
  startTestGraph,
  startTestNats,
} from '@manifold/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { rootKey, startService } from '../../test/service.ts';
import { createKey, createSteps } from '../../test/steps.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { acrossWorkspaces } from '@manifold/database';
import { WorkspaceId } from '@manifold/contracts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop: stopNats } = await startTestNats();
const client = await startService({ db, nats, log, startTestGraph });
const { identify, query, mutate } = client;
const { createSecondWorkspace, createWith, invite, listEvents, viewer } = createSteps({
  db,
  client,
});

afterAll(async () => {
  await client.stop();
  await stopNats();
  await drop();
});

describe('keys', () => {
  test('a key is shown once and kept only as a hash', async () => {
    const { key, apiKey } = (await mutate(rootKey, createKey, { name: 'for the shop' }))
      .createApiKey;

    expect(key).toMatch(/^mf_[\w-]{40,}$/);
    expect(apiKey.prefix).toBe(key.slice(0, 10));
    expect((await viewer(key)).user.email).toBe('olivia@example.com');
    const rows = await acrossWorkspaces(db, (tx) => tx.selectFrom('api_key').selectAll().execute());
    expect(rows.map(({ prefix }) => prefix)).toContain(apiKey.prefix);
    expect(JSON.stringify(rows)).not.toContain(key);
    expect(
      JSON.stringify(await query(rootKey, '{ apiKeys { nodes { id name prefix } } }')),
    ).not.toContain(key);
  });

  test('a repeated creation returns the same key record, and the secret no more', async () => {
    const input = { name: 'once', idempotencyKey: 'create-once' };

    const one = (await mutate(rootKey, createKey, input)).createApiKey;
    const two = (await mutate(rootKey, createKey, input)).createApiKey;

    expect(two.apiKey.id).toBe(one.apiKey.id);
    expect(two.key).toBeNull();
  });

  test('a revoked key says that it was revoked, and revoking it again changes nothing', async () => {
    const { key, apiKey } = (await mutate(rootKey, createKey, { name: 'short' })).createApiKey;
    const revoke = 'revokeApiKey(input: $input) { apiKey { revokedAt } }';

    await mutate(rootKey, ['RevokeApiKeyInput', revoke], { apiKeyId: apiKey.id });
    await mutate(rootKey, ['RevokeApiKeyInput', revoke], { apiKeyId: apiKey.id });

    await expect(identify(key)).rejects.toMatchObject({ detail: { reason: 'key_revoked' } });
    const events = await listEvents('workspaces.api_key_revoked.v1');
    expect(events.filter((event) => event.key === apiKey.id)).toHaveLength(1);
  });

  test('a member sees the keys that act as them, an admin sees all', async () => {
    const { workspaceId, apiKeyId } = await identify(rootKey);
    const member = await invite(workspaceId, 'keys-member@example.com', 'VIEWER');
    const admin = await invite(workspaceId, 'keys-admin@example.com', 'ADMIN');
    const text = `{ apiKeys { nodes { id user { id } } totalCount } node(id: "${apiKeyId}") { id } }`;
    const mine = await query(member.key, text);
    expect(mine).toMatchObject({
      apiKeys: { nodes: [{ user: { id: member.user.id } }], totalCount: 1 },
      node: null,
    });
    const others = `{ apiKeys(filter: { userId: "${admin.user.id}" }) { totalCount } }`;
    expect(await query(member.key, others)).toEqual({ apiKeys: { totalCount: 0 } });
    const all = await query(admin.key, text);
    expect(all.apiKeys.totalCount).toBeGreaterThan(2);
    expect(all.node).toEqual({ id: apiKeyId });
  });

  test('an unknown key is refused without a hint', async () => {
    await expect(identify('mf_never-made')).rejects.toMatchObject({
      kind: 'unauthenticated',
      message: 'This API key is not known or was revoked',
      detail: { reason: 'not_signed_in', fix: expect.stringContaining('Bearer') },
    });
  });
});

describe('several workspaces', () => {
  test('the one who makes a workspace owns it and enters it with the same key', async () => {
    const made = await createSecondWorkspace('Second');

    const there = await viewer(rootKey, made);
    expect(there).toMatchObject({ role: 'OWNER', workspace: { id: made, name: 'Second' } });
    const names = there.workspaces.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['Main', 'Second']));
  });

  test('a repeated creation by idempotency key is the same workspace', async () => {
    const one = await createSecondWorkspace('Third', 'third');
    expect(await createSecondWorkspace('Third', 'third')).toBe(one);
  });

  test('a repeat by somebody else is a workspace of their own', async () => {
    const { workspaceId } = await identify(rootKey);
    const one = await createSecondWorkspace('Fourth', 'fourth');
    const other = await invite(workspaceId, 'fourth@example.com');
    const two = await createWith(other.selfMade, 'Fourth', 'fourth');
    expect(two).not.toBe(one);
    expect(await viewer(other.selfMade, two)).toMatchObject({ role: 'OWNER' });
  });

  test('a workspace the key does not open is refused like one that never was', async () => {
    const outsider = await invite(await createSecondWorkspace('Closed'), 'outsider@example.com');
    const { workspaceId } = await identify(rootKey);

    const closed = await identify(outsider.key, workspaceId).catch((error: unknown) => error);
    const never = await identify(outsider.key, nowhere).catch((error: unknown) => error);
    expect(closed).toMatchObject({ detail: { reason: 'workspace_not_chosen' } });
    expect(closed).toEqual(never);
  });
});

const nowhere = WorkspaceId.parse(`ws_${'0'.repeat(32)}`);
