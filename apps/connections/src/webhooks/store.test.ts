import { WebhookReceiptId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { connectionRow } from '../../test/rows.ts';
import { insertConnection } from '../accounts/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { insertReceipt, listConnectionsWithReceipts, postponeReceipt } from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
afterAll(drop);

test('of many connections with deliveries whoever waited longest comes first', async () => {
  const at = (second: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, second));
  const waitSince = async (second: number, postponedTo?: number) => {
    const workspaceId = newId('ws', WorkspaceId);
    const connection = connectionRow(workspaceId);
    const receipt = {
      workspace_id: workspaceId,
      id: newId('wh', WebhookReceiptId),
      connection_id: connection.id,
      body: 'sealed',
      received_at: at(second),
    };
    await withWorkspace(db, workspaceId, async (tx) => {
      await insertConnection(tx, connection);
      await insertReceipt(tx, receipt);
      if (postponedTo !== undefined)
        await postponeReceipt(tx, receipt, { attempts: 1, notBefore: at(postponedTo) });
    });
    return connection.id;
  };
  const [third, first, second] = [await waitSince(1, 30), await waitSince(10), await waitSince(20)];
  const queues = await acrossWorkspaces(db, (tx) => listConnectionsWithReceipts(tx, at(40)));
  expect(queues.map(({ connection_id }) => connection_id)).toEqual([first, second, third]);
});
