import {
  createTestDatabase,
  silentLog as log,
  startTestGraph,
  startTestNats,
} from '@manifold/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { rootKey, startService } from '../../test/service.ts';
import { createSteps, invitation, inviteText, removeText, setRoleText } from '../../test/steps.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop: stopNats } = await startTestNats();
const client = await startService({ db, nats, log, startTestGraph });
const { identify, send, query } = client;
const { createSecondWorkspace, inviteWith } = createSteps({ db, client });

afterAll(async () => {
  await client.stop();
  await stopNats();
  await drop();
});

describe('members', () => {
  test('a name that cannot be stored is refused by its field', async () => {
    const input = { email: 'nul@example.com', role: 'MEMBER', name: 'a\0b' };
    const { errors } = await send(rootKey, inviteText, { input });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.name' });
  });

  test('the same e-mail is the same user in every workspace, with a name of each', async () => {
    const two = await createSecondWorkspace('Two');
    const here = await inviteWith(rootKey, {
      email: 'Same@example.com',
      role: 'MEMBER',
      name: 'Sam',
    });
    const there = await inviteWith(rootKey, {
      email: 'same@EXAMPLE.com',
      role: 'ADMIN',
      name: 'Samuel',
      workspace: two,
    });

    expect(there.user.id).toBe(here.user.id);
    expect([here.user.name, there.user.name]).toEqual(['Sam', 'Samuel']);
    expect((await identify(there.key)).role).toBe('ADMIN');
    await expect(identify(here.key, two)).rejects.toMatchObject({ kind: 'unauthenticated' });
  });

  test('a person cannot be added twice', async () => {
    await inviteWith(rootKey, { email: 'twice@example.com', role: 'MEMBER' });
    const { errors } = await send(rootKey, inviteText, { input: invitation('twice@example.com') });

    expect(errors[0].extensions).toMatchObject({ code: 'CONFLICT', reason: 'already_member' });
  });

  test('the last owner stays one', async () => {
    const alone = await createSecondWorkspace('Alone');
    const [self] = (await query(rootKey, '{ members { nodes { id } } }', alone)).members.nodes;

    const demotion = await send(
      rootKey,
      setRoleText,
      { input: { memberId: self.id, role: 'VIEWER' } },
      alone,
    );
    const removal = await send(rootKey, removeText, { input: { memberId: self.id } }, alone);

    expect(demotion.errors[0].extensions).toMatchObject({ reason: 'last_owner' });
    expect(removal.errors[0].extensions).toMatchObject({ reason: 'last_owner' });
  });

  test('two owners who demote each other at once leave one owner', async () => {
    const duel = await createSecondWorkspace('Duel');
    await inviteWith(rootKey, { email: 'duel@example.com', role: 'OWNER', workspace: duel });
    const { nodes } = (await query(rootKey, '{ members { nodes { id } } }', duel)).members;
    const demote = (memberId: string) =>
      send(rootKey, setRoleText, { input: { memberId, role: 'MEMBER' } }, duel);

    const answers = await Promise.all(nodes.map(({ id }: { id: string }) => demote(id)));

    expect(answers.filter(({ errors }) => errors.length > 0)).toHaveLength(1);
  });

  test('a removed member’s keys end with the membership', async () => {
    const leaver = await inviteWith(rootKey, { email: 'leaver@example.com', role: 'MEMBER' });
    await send(rootKey, removeText, { input: { memberId: leaver.memberId } });

    await expect(identify(leaver.key)).rejects.toMatchObject({ detail: { reason: 'key_revoked' } });
  });

  test('every fault of an input is told at once, without its values', async () => {
    const input = { email: 'not-an-address', name: '', role: 'MEMBER' };
    const { errors } = await send(rootKey, inviteText, { input });

    const fields = errors[0].extensions.issues.map(({ field }: { field: string }) => field);
    expect(fields).toEqual(['input.email', 'input.name']);
    expect(JSON.stringify(errors)).not.toContain('not-an-address');
  });

  test('only owners manage members, keys and features', async () => {
    const admin = await inviteWith(rootKey, { email: 'admin@example.com', role: 'ADMIN' });
    for (const [type, text] of [
      ['InviteMemberInput', 'inviteMember(input: $input) { member { id } }'],
      ['CreateApiKeyInput', 'createApiKey(input: $input) { key }'],
      ['SetEntitlementInput', 'setEntitlement(input: $input) { entitlements { name } }'],
    ] as const) {
      const input =
        type === 'InviteMemberInput'
          ? invitation('x@example.com')
          : type === 'CreateApiKeyInput'
            ? { name: 'x' }
            : { name: 'BULK_CHANGES', enabled: false };
      const { errors } = await send(admin.key, `mutation ($input: ${type}!) { ${text} }`, {
        input,
      });
      expect(errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'role_too_low' });
    }
  });
});

test('members are paged in both directions', async () => {
  const many = await createSecondWorkspace('Many');
  for (const n of [1, 2, 3, 4]) {
    await inviteWith(rootKey, {
      email: `m${n}@example.com`,
      role: 'VIEWER',
      name: `M${n}`,
      workspace: many,
    });
  }
  const page = async (args: string) =>
    (
      await query(
        rootKey,
        `{ members(${args}) { totalCount nodes { user { name } } pageInfo { endCursor hasNextPage startCursor } } }`,
        many,
      )
    ).members;
  const names = (list: { nodes: { user: { name: string } }[] }) =>
    list.nodes.map(({ user }) => user.name);

  const one = await page('first: 2');
  const two = await page(`first: 2, after: "${one.pageInfo.endCursor}"`);
  const back = await page(`last: 2, before: "${two.pageInfo.startCursor}"`);

  expect(names(one)).toEqual(['Olivia', 'M1']);
  expect(names(two)).toEqual(['M2', 'M3']);
  expect(names(back)).toEqual(['Olivia', 'M1']);
  expect(one.totalCount).toBe(5);
  expect(await page('filter: { role: [OWNER] }')).toMatchObject({ totalCount: 1 });
});
