import { UserId, WorkspaceId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { connectionRow } from '../../test/rows.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { findActingConnection, insertConnection } from './store.ts';
import type { Connection } from './tables.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
afterAll(drop);

const userId = newId('us', UserId);
const mine: Partial<Connection> = { kind: 'PERSONAL', user_id: userId, pipedrive_user_id: '7' };

test.each([
  ['works', {}, true],
  ['is switched off', { status: 'DISABLED' }, false],
  ['is broken', { status: 'NEEDS_REAUTH' }, false],
  ['is of another company', { company_id: '9' }, false],
  ['is of another user', { user_id: newId('us', UserId) }, false],
  ['is for the whole workspace', { kind: 'ORGANIZATION' }, false],
] as const)(
  'what a user does by hand goes through their own connection, which %s: %o %s (SL-12, SL-13)',
  async (_, change, isUsed) => {
    const workspaceId = newId('ws', WorkspaceId);
    const shared = connectionRow(workspaceId);
    const own = connectionRow(workspaceId, { ...mine, ...change });
    const found = await withWorkspace(db, workspaceId, async (tx) => {
      await insertConnection(tx, shared);
      await insertConnection(tx, own);
      return findActingConnection(tx, shared.id, userId);
    });
    expect(found?.id).toBe(isUsed ? own.id : undefined);
  },
);
