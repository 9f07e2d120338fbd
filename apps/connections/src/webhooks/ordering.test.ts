import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectForDeliveries, type Deliveries } from '../../test/deliveries.ts';
import { type Installation, startInstallation } from '../../test/installation.ts';
import { listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import { findConnection } from '../accounts/store.ts';
import { insertRegistry, lockRegistry } from '../registry/store.ts';
import type { Tables } from '../store.ts';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
let installation: Installation;
let hooks: Deliveries;

beforeAll(async () => {
  installation = await startInstallation({
    urls: database.urls,
    natsUrl: nats.url,
    sandbox,
    log: silentLog,
  });
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

/** A connection of its own for every test. */
async function connect(): Promise<void> {
  hooks = await connectForDeliveries(installation, {
    db: database.db,
    apiToken: sandbox.apiToken,
  });
}
const deliver: Deliveries['deliver'] = (payload, options) => hooks.deliver(payload, options);
const change: Deliveries['change'] = (meta) => hooks.change(meta);

const changes = () => listEvents(database.db, hooks.workspaceId, 'record_changed');
const receipts = () =>
  acrossWorkspaces(database.db, (tx) =>
    tx
      .selectFrom('webhook_receipt')
      .selectAll()
      .where('workspace_id', '=', hooks.workspaceId)
      .orderBy('id')
      .execute(),
  );
const allSettled = () =>
  eventually(async () => {
    const all = await receipts();
    expect(all.map(({ state }) => state)).not.toContain('received');
    return all;
  });

test('a delivery that comes again, or three at once, is told once', async () => {
  await connect();
  const payload = change();
  await Promise.all([deliver(payload), deliver(payload), deliver(payload)]);
  await allSettled();
  await deliver({ ...payload, meta: { ...payload.meta, attempt: 2 } });
  const all = await allSettled();
  expect(all.map(({ state }) => state).sort()).toEqual([
    'repeated',
    'repeated',
    'repeated',
    'understood',
  ]);
  expect(await changes()).toHaveLength(1);
});

test('a delivery that was overtaken by a newer one of its record is kept, and not told as news', async () => {
  await connect();
  await deliver(change({ timestamp: '2026-03-01T10:00:05.000Z' }));
  await allSettled();
  await deliver(change({ timestamp: '2026-03-01T10:00:04.999Z' }));
  await deliver(change({ timestamp: '2026-03-01T10:00:01.000Z', entity_id: '9' }));
  expect((await allSettled()).map(({ state }) => state)).toEqual([
    'understood',
    'superseded',
    'understood',
  ]);
  expect((await changes()).map(({ payload }) => payload.pipedriveId)).toEqual(['8', '9']);
});

const merges: [string, (loser: object, survivor: object) => object[]][] = [
  ['the loser', (loser, survivor) => [loser, survivor]],
  ['the survivor', (loser, survivor) => [survivor, loser]],
  ['nobody but the survivor', (_, survivor) => [survivor]],
];
test.each(merges)(
  'a merge is told once as the loser merging into the survivor when %s is heard of first',
  async (_, order) => {
    await connect();
    const deletion = change({ action: 'delete', merged_to_id: '7' });
    const loser = { ...deletion, data: null, previous: { id: 8, name: 'Ada' } };
    const survivor = change({ entity_id: '7', merged_from_id: '8' });
    for (const delivery of order(loser, survivor)) {
      await deliver(delivery);
      await allSettled();
    }
    const told = (await changes()).map(({ payload }) => payload);
    expect(told.filter(({ pipedriveId }) => pipedriveId === '8')).toEqual([
      expect.objectContaining({ action: 'merged', mergedIntoPipedriveId: '7' }),
    ]);
    expect(told.filter(({ pipedriveId }) => pipedriveId === '7')).toHaveLength(1);
  },
);

test('deliveries wait for whoever reads the company before they lock anything of a record', async () => {
  await connect();
  const { workspaceId: workspace_id, id: connection_id } = hooks;
  const later = new Date(Date.now() + 3_600_000);
  await withWorkspace(database.db, workspace_id, async (tx) => {
    const connection = await findConnection(tx, connection_id);
    const place = {
      workspace_id,
      company_id: connection?.company_id ?? '',
      object: 'person' as const,
    };
    await insertRegistry(tx, { ...place, connection_id, now: later, verify_at: later });
  });
  await withWorkspace(database.db, workspace_id, async (tx) => {
    const { company_id } = (await findConnection(tx, connection_id)) ?? { company_id: '' };
    await lockRegistry(tx, { workspace_id, company_id, object: 'person' });
    await deliver(change());
    await eventually(async () => {
      const { rows } = await sql`select 1 from pg_locks where not granted`.execute(
        database.ownerDb,
      );
      expect(rows).not.toEqual([]);
    });
    // a row of the delivery is not locked yet
    await sql`select 1 from webhook_receipt for update nowait`.execute(tx);
  });
  await allSettled();
  expect(await changes()).toHaveLength(1);
});
