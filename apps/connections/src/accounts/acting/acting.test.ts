import { UserId, WorkspaceId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { connectionRow } from '../../../test/rows.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { insertConnection } from '../store.ts';
import type { Connection } from '../tables.ts';
import { findActing } from './commands.ts';
import { chooseActing } from './rules.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
afterAll(drop);

const userId = newId('us', UserId);
const mine: Partial<Connection> = {
  ...{ kind: 'PERSONAL', user_id: userId, pipedrive_user_id: '7' },
  scopes: ['contacts:full'],
};

test.each<[string, Partial<Connection>, boolean]>([
  ['works', {}, true],
  ['is switched off', { status: 'DISABLED' }, false],
  ['is broken', { status: 'NEEDS_REAUTH' }, false],
  ['is of another company', { company_id: '9' }, false],
  ['is of another user', { user_id: newId('us', UserId) }, false],
  ['is for the whole workspace', { kind: 'ORGANIZATION' }, false],
  ['may only read', { scopes: ['contacts:read'] }, false],
])(
  'what a user does by hand goes through their own connection, which %s: %o %s (SL-12, SL-13)',
  async (_, change, isUsed) => {
    const workspaceId = newId('ws', WorkspaceId);
    const shared = connectionRow(workspaceId);
    const own = connectionRow(workspaceId, { ...mine, ...change });
    const found = await withWorkspace(db, workspaceId, async (tx) => {
      await insertConnection(tx, shared);
      await insertConnection(tx, own);
      return findActing(tx, { connectionId: shared.id, userId, objects: ['person'] });
    });
    expect(found?.id).toBe(isUsed ? own.id : undefined);
  },
);

const both = ['contacts:full', 'deals:full'];
const at = (day: number) => new Date(Date.UTC(2026, 2, day));
const workspaceId = newId('ws', WorkspaceId);
const made = (day: number, change: Partial<Connection> = {}) =>
  connectionRow(workspaceId, { ...mine, created_at: at(day), established_at: at(day), ...change });

test('of several connections of one person the one connected last is used, whatever their order', () => {
  const [older, newer] = [made(1), made(2)];
  expect(chooseActing([older, newer], ['person'])).toBe(newer);
  expect(chooseActing([newer, older], ['person'])).toBe(newer);
  // connected anew: it is the last again
  const renewed = { ...older, established_at: at(3) };
  expect(chooseActing([renewed, newer], ['person'])).toBe(renewed);
});

test('what may be written with a connection decides before its age', () => {
  const [older, newer] = [made(1, { scopes: both }), made(2, { scopes: ['deals:full'] })];
  expect(chooseActing([older, newer], ['deal'])).toBe(newer);
  expect(chooseActing([older, newer], ['person'])).toBe(older);
  expect(chooseActing([older, newer], ['person', 'deal'])).toBe(older);
  expect(chooseActing([older, newer], ['person', 'lead'])).toBeUndefined();
});

test('an API token may write whatever its user may', () => {
  const token = made(1, { method: 'API_TOKEN', scopes: [] });
  expect(chooseActing([token], ['person', 'lead', 'note'])).toBe(token);
});
