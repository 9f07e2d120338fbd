import { UserId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectionRow, grantRow } from '../../../test/rows.ts';
import { migrations } from '../../migrations/index.ts';
import type { Db, Tables } from '../../store.ts';
import * as consents from '../consent/store.ts';
import { insertConnection } from '../store.ts';
import * as lifetime from './lifetime/store.ts';
import * as grants from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const now = new Date('2026-03-01T10:00:00Z');
const a = newId('ws', WorkspaceId);
const b = newId('ws', WorkspaceId);
const grant = grantRow();
const connection = connectionRow(a, { grant_id: grant.id });
const broken = connectionRow(a, {
  pipedrive_user_id: '3',
  broken_since: now,
  status_reason: 'token_rejected',
});
const unused = grantRow({ pipedrive_user_id: '8', release_at: now });
const holder = { clientId: 'test-app', companyId: '1', pipedriveUserId: '2' };
const consent = {
  workspace_id: a,
  connection_id: connection.id,
  accepted_at: now,
  user_id: newId('us', UserId),
  app_name: 'default',
  scopes: [],
  terms_version: '1',
};

const ofWorkspace = { workspaceId: a, kind: 'ORGANIZATION', owner: connection.user_id } as const;

type Call = (tx: Db) => Promise<unknown>;

/** Called for the rows of A: in its scope they do something, in that of B nothing. */
const ownCalls: Record<string, Call> = {
  lockConnectionOfUser: (tx) => grants.lockConnectionOfUser(tx, { ...holder, ...ofWorkspace }),
  findGrant: (tx) => grants.findGrant(tx, grant.id),
  isCompanyGranted: (tx) =>
    grants.isCompanyGranted(tx, { clientId: 'test-app', apiDomain: grant.api_domain }),
  listGrants: (tx) => grants.listGrants(tx, [grant.id]),
  lockConnectionsOfGrant: (tx) => grants.lockConnectionsOfGrant(tx, grant.id),
  setConnectionsOfGrant: (tx) =>
    grants.setConnectionsOfGrant(tx, grant.id, { scopes: ['x'], api_domain: 'https://x.test' }),
  setBroken: (tx) => grants.setBroken(tx, connection.id, { reason: 'token_rejected', now }),
  setMended: (tx) => grants.setMended(tx, broken.id, { reason: 'token_rejected', now }),
  setCause: (tx) =>
    grants.setCause(tx, broken.id, { from: 'token_rejected', to: 'user_deactivated', now }),
  listIdleGrants: (tx) =>
    lifetime.listIdleGrants(tx, { before: new Date(now.getTime() + 1), limit: 5 }),
  insertConsent: (tx) =>
    consents.insertConsent(tx, { ...consent, accepted_at: new Date(now.getTime() + 1) }),
  listTermsAccepted: (tx) => consents.listTermsAccepted(tx, [connection.id]),
};

/** Grants belong to no workspace: these do nothing in the scope of any, and work across them. */
const sharedCalls: Record<string, Call> = {
  lockGrant: (tx) => grants.lockGrant(tx, grant.id),
  lockGrantOf: (tx) => grants.lockGrantOf(tx, holder),
  insertGrant: (tx) => grants.insertGrant(tx, grantRow({ pipedrive_user_id: '9' })),
  setGrant: (tx) => grants.setGrant(tx, { id: grant.id, version: 1 }, { scopes: ['x'] }),
  setRelease: (tx) => lifetime.setRelease(tx, grant.id, now),
  postponeRefresh: (tx) => grants.postponeRefresh(tx, grant, new Date(0)),
  leaseUnused: (tx) => lifetime.leaseUnused(tx, { now, until: now, before: now, limit: 5 }),
  removeGrant: (tx) => grants.removeGrant(tx, grant.id),
};

const dump = async (tx: Db) =>
  JSON.stringify([
    await tx.selectFrom('connection').selectAll().execute(),
    await tx.selectFrom('pipedrive_grant').selectAll().execute(),
    await tx.selectFrom('consent').selectAll().execute(),
  ]);

/** What a call gives and changes in a scope; undone afterwards. */
async function observe(scope: WorkspaceId | undefined, call: Call) {
  let didSomething = false;
  const undo = new Error('undo');
  const watched = async (tx: Db): Promise<never> => {
    const earlier = await dump(tx);
    const result = await call(tx);
    const gave = Array.isArray(result) ? result.length > 0 : Boolean(result);
    didSomething = gave || (await dump(tx)) !== earlier;
    throw undo;
  };
  const run =
    scope === undefined ? acrossWorkspaces(db, watched) : withWorkspace(db, scope, watched);
  const thrown = await run.catch((error: unknown) => error);
  return thrown === undo ? didSomething : 'refused';
}

beforeAll(() =>
  acrossWorkspaces(db, async (tx) => {
    await grants.insertGrant(tx, grant);
    await grants.insertGrant(tx, unused);
    await insertConnection(tx, connection);
    await insertConnection(tx, broken);
    await consents.insertConsent(tx, consent);
  }),
);
afterAll(drop);

test.each(Object.entries(ownCalls))('%s reaches what its own workspace uses', async (_, call) => {
  expect(await observe(a, call)).toBe(true);
  expect([false, 'refused']).toContain(await observe(b, call));
});

test.each(Object.entries(sharedCalls))('%s works across workspaces alone', async (_, call) => {
  expect(await observe(undefined, call)).toBe(true);
  for (const scope of [a, b]) expect([false, 'refused']).toContain(await observe(scope, call));
});

test('every function of these stores is called above', () => {
  const called = [...Object.keys(ownCalls), ...Object.keys(sharedCalls), 'lockRefresh'];
  expect(called.toSorted()).toEqual(
    [grants, lifetime, consents].flatMap((store) => Object.keys(store)).toSorted(),
  );
});
