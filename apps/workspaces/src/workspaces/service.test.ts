import { captureLog, createTestDatabase, startTestGraph, startTestNats } from '@manifold/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { first, now, rootKey, startService } from '../../test/service.ts';
import { createSteps, removeText } from '../../test/steps.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { MemberId } from '@manifold/contracts';
import { relayOutbox } from '@manifold/messaging';
import { bootstrap } from './bootstrap.ts';

const { log, lines } = captureLog();
const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop: stopNats } = await startTestNats();
const client = await startService({ db, nats, log, startTestGraph });
const { identify, send, query, mutate } = client;
const { createSecondWorkspace, listEvents, viewer } = createSteps({ db, client });

afterAll(async () => {
  await client.stop();
  await stopNats();
  await drop();
});

describe('the first workspace', () => {
  test('is made once, however often the service starts', async () => {
    const again = await Promise.all([bootstrap(db, first, now()), bootstrap(db, first, now())]);

    expect(again).toEqual([false, false]);
    const { workspace, role, user } = await viewer(rootKey);
    expect({ workspace, role, user }).toMatchObject({
      workspace: { name: 'Main' },
      role: 'OWNER',
      user: { name: 'Olivia', email: 'olivia@example.com' },
    });
  });

  test('may use every feature', async () => {
    const { entitlements } = await viewer(rootKey);

    expect(entitlements).toHaveLength(5);
    expect(entitlements.every(({ enabled }: { enabled: boolean }) => enabled)).toBe(true);
  });
});

describe('features', () => {
  test('a switched-off feature is off for the next request, and said once', async () => {
    const quiet = await createSecondWorkspace('Quiet');
    const off = { name: 'BULK_CHANGES', enabled: false };
    const text = 'setEntitlement(input: $input) { entitlements { name enabled } }';

    await mutate(rootKey, ['SetEntitlementInput', text], off, quiet);
    await mutate(rootKey, ['SetEntitlementInput', text], off, quiet);

    expect((await identify(rootKey, quiet)).entitlements).not.toContain('bulk_changes');
    expect((await identify(rootKey)).entitlements).toContain('bulk_changes');
    const events = await listEvents('workspaces.entitlement_changed.v1');
    expect(events.filter(({ workspace_id }) => workspace_id === quiet)).toHaveLength(1);
  });
});

describe('anything by its id', () => {
  test('own things are found, things of other services are named by type', async () => {
    const contact = `ct_${'a'.repeat(32)}`;
    const { nodes } = (await query(rootKey, '{ members(first: 1) { nodes { id } } }')).members;
    const text = `{ nodes(ids: ["${nodes[0].id}", "${contact}", "nonsense"]) { __typename id } }`;

    expect((await query(rootKey, text)).nodes).toEqual([
      { __typename: 'Member', id: nodes[0].id },
      { __typename: 'Contact', id: contact },
      null,
    ]);
  });

  test('a text that is no id is answered like an id nobody has, alone or among others', async () => {
    const never = `mb_${'f'.repeat(32)}`;
    const odd = ['', 'nonsense', 'x'.repeat(5_000), `MB_${'f'.repeat(32)}`, `mb_${'\\u0000'}`];
    const ids = [never, ...odd];
    for (const id of ids) {
      expect((await query(rootKey, `{ node(id: "${id}") { id } }`)).node).toBeNull();
    }
    const text = `{ nodes(ids: [${ids.map((id) => `"${id}"`).join()}]) { id } }`;
    expect((await query(rootKey, text)).nodes).toEqual(ids.map(() => null));
  });

  test('an id of another workspace is answered like one that never was', async () => {
    const elsewhere = await createSecondWorkspace('Elsewhere');
    const { nodes } = (await query(rootKey, '{ members { nodes { id user { id } } } }', elsewhere))
      .members;
    const foreign = nodes[0].id;
    const never = MemberId.parse(`mb_${'f'.repeat(32)}`);

    for (const id of [foreign, elsewhere]) {
      expect((await query(rootKey, `{ node(id: "${id}") { id } }`)).node).toBeNull();
    }
    const [one, two] = await Promise.all(
      [foreign, never].map((memberId) => send(rootKey, removeText, { input: { memberId } })),
    );
    expect(JSON.stringify(one).replaceAll(foreign, never)).toBe(JSON.stringify(two));
  });

  test('references of other services to users and members are resolved in one query', async () => {
    const { user } = await viewer(rootKey);
    const text = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { email } } }`;
    const representations = [user.id, `us_${'0'.repeat(32)}`].map((id) => ({
      __typename: 'User',
      id,
    }));

    const { data } = await send(rootKey, text, { r: representations });
    expect(data._entities).toEqual([{ email: 'olivia@example.com' }, null]);
  });
});

test('events hold no e-mail and no key, and logs neither', async () => {
  await relayOutbox(db, nats);
  const events = await listEvents('%');

  expect(events.length).toBeGreaterThan(5);
  expect(JSON.stringify(events)).not.toMatch(/@example|mf_/);
  expect(lines.join('\n')).not.toMatch(/@example|mf_/);
});
