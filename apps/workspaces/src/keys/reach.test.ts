import type { WorkspaceId } from '@manifold/contracts';
import {
  createTestDatabase,
  silentLog as log,
  startTestGraph,
  startTestNats,
} from '@manifold/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rootKey, startService } from '../../test/service.ts';
import { createKey, createSteps, removeText } from '../../test/steps.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop: stopNats } = await startTestNats();
const client = await startService({ db, nats, log, startTestGraph });
const { identify, send, query, mutate } = client;
const { createWith, invite, inviteWith, viewer } = createSteps({ db, client });

/** Olivia's own workspace, and the one she shares with Otto, an owner of nothing else. */
let main: WorkspaceId;
let twin: WorkspaceId;
let otto: string;
/** Made by Otto for Olivia's membership in Twin. */
let planted: string;

beforeAll(async () => {
  main = (await identify(rootKey)).workspaceId;
  twin = await createWith(rootKey, 'Twin');
  const outsider = { email: 'otto@example.com', role: 'OWNER', workspace: twin };
  otto = (await inviteWith(rootKey, outsider)).key;
  planted = await keyFor(otto, await memberOf('olivia@example.com'));
});
afterAll(async () => {
  await client.stop();
  await stopNats();
  await drop();
});

describe('a key made for a fellow member', () => {
  test('acts as the member where it was made, and opens no other workspace', async () => {
    expect(await identify(planted)).toMatchObject({ workspaceId: twin, role: 'OWNER' });
    await expectShut(planted);
  });

  test('makes keys that open no more, for whomever', async () => {
    await expectShut(await keyFor(planted));
    await expectShut(await keyFor(planted, await memberOf('olivia@example.com')));
    const again = await keyFor(await keyFor(otto), await memberOf('olivia@example.com'));
    await expectShut(again);
  });

  test('makes no workspace: its maker would have the run of it', async () => {
    const text = 'mutation { createWorkspace(input: { name: "Lair" }) { workspace { id } } }';
    for (const key of [planted, otto, await keyFor(planted)]) {
      expect((await send(key, text)).errors[0].extensions).toMatchObject({
        code: 'PRECONDITION_FAILED',
        reason: 'key_of_one_workspace',
        fix: expect.any(String),
      });
    }
  });

  test('opens no more after its user gets another role', async () => {
    const memberId = await memberOf('olivia@example.com');
    for (const role of ['VIEWER', 'OWNER']) {
      await mutate(otto, setRole, { memberId, role });
      expect((await identify(planted)).role).toBe(role);
      await expectShut(planted);
    }
  });

  test('opens no more when its user is removed and invited again', async () => {
    const memberId = await memberOf('olivia@example.com');
    await send(otto, removeText, { input: { memberId } });
    await expect(identify(planted)).rejects.toMatchObject({ detail: { reason: 'key_revoked' } });

    const back = await inviteWith(otto, { email: 'olivia@example.com', role: 'OWNER' });
    planted = back.key;
    expect((await identify(planted)).workspaceId).toBe(twin);
    await expectShut(planted);
    await expectShut(await keyFor(planted));
    expect((await identify(rootKey, twin)).role).toBe('OWNER');
  });

  test('opens no workspace its user is invited to later', async () => {
    const later = await createWith(rootKey, 'Later');
    const guest = { email: 'otto@example.com', role: 'OWNER', workspace: later };
    await inviteWith(rootKey, guest);
    await expect(identify(otto, later)).rejects.toMatchObject(shut);
  });
});

describe('a key of one’s own', () => {
  test('opens every workspace of its user, and so do the keys made with it', async () => {
    const mine = await keyFor(rootKey, undefined, twin);
    const named = await keyFor(mine, await memberOf('olivia@example.com'), twin);
    for (const key of [mine, named]) {
      expect((await identify(key)).workspaceId).toBe(twin);
      expect((await identify(key, main)).workspaceId).toBe(main);
    }
  });

  test('an owner cannot enter the workspaces of a person by inviting that person', async () => {
    const victim = await invite(await createWith(rootKey, 'Shop'), 'victim@example.com');
    const own = await createWith(victim.selfMade, 'Private');
    expect((await identify(victim.selfMade, own)).workspaceId).toBe(own);

    const trap = await inviteWith(otto, { email: 'victim@example.com', role: 'OWNER' });

    await expect(identify(trap.key, own)).rejects.toMatchObject(shut);
    await expect(identify(await keyFor(trap.key), own)).rejects.toMatchObject(shut);
  });
});

const shut = { kind: 'unauthenticated', detail: { reason: 'workspace_not_chosen' } };
const setRole = ['SetMemberRoleInput', 'setMemberRole(input: $input) { member { role } }'] as const;

/** Neither by the header nor in the list of workspaces. */
async function expectShut(key: string) {
  await expect(identify(key, main)).rejects.toMatchObject(shut);
  const { workspaces } = await viewer(key);
  expect(workspaces.map(({ id }: { id: string }) => id)).toEqual([twin]);
}

async function keyFor(key: string, memberId?: string, workspace?: WorkspaceId): Promise<string> {
  const input = { name: 'made', ...(memberId ? { memberId } : {}) };
  return (await mutate(key, createKey, input, workspace)).createApiKey.key;
}

/** The membership in Twin. */
async function memberOf(email: string): Promise<string> {
  const text = `{ members(filter: { email: "${email}" }) { nodes { id } } }`;
  return (await query(otto, text)).members.nodes[0].id;
}
