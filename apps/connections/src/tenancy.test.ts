import { globSync } from 'node:fs';
import { ConnectionId, UserId, WebhookReceiptId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectionRow } from '../test/rows.ts';
import * as ownership from './accounts/ownership/store.ts';
import * as accounts from './accounts/store.ts';
import type { Connection } from './accounts/tables.ts';
import * as fields from './fields/store.ts';
import { migrations } from './migrations/index.ts';
import * as completion from './oauth/completion/store.ts';
import * as oauth from './oauth/store.ts';
import type { OauthState } from './oauth/tables.ts';
import type { Db, Tables } from './store.ts';
import * as upkeep from './upkeep/store.ts';
import * as webhooks from './webhooks/store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const now = new Date('2026-03-01T10:00:00Z');
const before = new Date(now.getTime() - 60_000);
const after = new Date(now.getTime() + 60_000);
const a = newId('ws', WorkspaceId);
const b = newId('ws', WorkspaceId);
const userId = newId('us', UserId);
const [id, personalId] = [newId('cn', ConnectionId), newId('cn', ConnectionId)];
const receiptId = newId('wh', WebhookReceiptId);
const page = { limit: 10, backwards: false, cursor: undefined };

const connection: Connection = connectionRow(a, {
  id,
  user_id: userId,
  webhook_path_hash: 'hash',
});
const personal: Connection = {
  ...connection,
  id: personalId,
  kind: 'PERSONAL',
  pipedrive_user_id: '4',
  webhook_path_hash: 'hash-2',
};
const otherId = newId('us', UserId);
const switchedOff = {
  workspace_id: a,
  company_id: '1',
  pipedrive_user_id: '4',
  user_id: userId,
  disabled_by: null,
  removed_at: now,
};
const state: OauthState = {
  workspace_id: a,
  state_hash: 'state',
  user_id: userId,
  kind: 'PERSONAL',
  return_url: null,
  correlation_id: 'c',
  app_name: 'default',
  accepts_limited_visibility: false,
  by_admin: false,
  terms_version: null,
  expires_at: now,
  used_at: null,
  created_at: before,
  id: 'state-1',
  code_hash: 'code',
  code_expires_at: after,
  sealed_code: 'sealed',
  sealed_grant: 'sealed',
  claimed_until: before,
  attempts: 0,
  finished_at: null,
  connection_id: null,
};
const receipt = {
  workspace_id: a,
  id: receiptId,
  connection_id: id,
  body: 'sealed',
  received_at: now,
};
const catalogue = {
  workspaceId: a,
  connectionId: id,
  object: 'person',
  revision: 1,
  fields: [{ object: 'person', code: 'name', name: 'Name', type: 'varchar', custom: false }],
  readAt: now,
  askedAt: now,
} as const;
const understood = {
  state: 'understood',
  record: 'sealed',
  meta_id: 'm2',
  object: 'person',
  pipedrive_id: '8',
  action: 'updated',
  revision: '1',
} as const;

type Call = (tx: Db) => Promise<unknown>;

/** Every store function, called for the rows of A. */
const calls: Record<string, Call> = {
  insertConnection: (tx) =>
    accounts.insertConnection(tx, {
      ...connection,
      id: newId('cn', ConnectionId),
      pipedrive_user_id: '9',
      webhook_path_hash: 'hash-9',
    }),
  findAnyConnection: (tx) => accounts.findAnyConnection(tx),
  findConnection: (tx) => accounts.findConnection(tx, id),
  lockConnection: (tx) => accounts.lockConnection(tx, id),
  keepConnection: (tx) => accounts.keepConnection(tx, id),
  listConnections: (tx) => accounts.listConnections(tx, { filter: {}, page, newestFirst: false }),
  countConnections: (tx) => accounts.countConnections(tx, {}),
  listConnectionsByIds: (tx) => accounts.listConnectionsByIds(tx, [id]),
  listOrganizationConnections: (tx) => accounts.listOrganizationConnections(tx, ['1']),
  listActingConnections: (tx) => accounts.listActingConnections(tx, id, userId),
  findConnectionByWebhookPath: (tx) => accounts.findConnectionByWebhookPath(tx, 'hash'),
  listWebhookPathHashes: (tx) => accounts.listWebhookPathHashes(tx, 10),
  setConnection: (tx) => accounts.setConnection(tx, id, { is_admin: false }),
  setStatus: (tx) =>
    accounts.setStatus(tx, id, { from: ['ACTIVE'], to: 'DISABLED', reason: null, now }),
  removeConnection: (tx) => accounts.removeConnection(tx, id),
  putSwitchedOff: (tx) => ownership.putSwitchedOff(tx, { ...switchedOff, user_id: otherId }),
  takeSwitchedOff: (tx) => ownership.takeSwitchedOff(tx, switchedOff),
  leaseUpkeep: (tx) => upkeep.leaseUpkeep(tx, { now, until: after, limit: 5 }),
  setUpkeepDue: (tx) => upkeep.setUpkeepDue(tx, id, before),
  insertState: (tx) =>
    oauth.insertState(tx, { ...state, id: 'state-2', state_hash: 'other', code_hash: null }),
  findState: (tx) => oauth.findState(tx, 'state'),
  setReturned: (tx) =>
    oauth.setReturned(tx, state, {
      code_hash: 'other',
      code_expires_at: now,
      sealed_code: null,
    }),
  lockReturned: (tx) => completion.lockReturned(tx, a, 'code'),
  setCompletion: (tx) => completion.setCompletion(tx, state, { attempts: 1 }),
  setAttempt: (tx) =>
    completion.setAttempt(tx, state, { claimed_until: now }, { unlessTraded: false }),
  leaseTraded: (tx) => completion.leaseTraded(tx, { before: now, until: after, limit: 5 }),
  takeState: (tx) => oauth.takeState(tx, 'state', before),
  removeOldStates: (tx) => oauth.removeOldStates(tx, after),
  findCatalogue: (tx) => fields.findCatalogue(tx, id, 'person'),
  findCatalogues: (tx) => fields.findCatalogues(tx, id),
  findFields: (tx) => fields.findFields(tx, id, 'person'),
  listCatalogueAges: (tx) => fields.listCatalogueAges(tx, id),
  setCatalogue: (tx) => fields.setCatalogue(tx, { ...catalogue, revision: 2 }),
  markCatalogueStale: (tx) => fields.markCatalogueStale(tx, id, 'person'),
  removeCatalogues: (tx) => fields.removeCatalogues(tx, id),
  insertReceipt: (tx) =>
    webhooks.insertReceipt(tx, { ...receipt, id: newId('wh', WebhookReceiptId) }),
  listConnectionsWithReceipts: (tx) => webhooks.listConnectionsWithReceipts(tx, now),
  listReceived: (tx) =>
    webhooks.listReceived(tx, { workspaceId: a, connectionId: id, now, limit: 5 }),
  findReceiptByEvent: (tx) =>
    webhooks.findReceiptByEvent(tx, { workspaceId: a, connectionId: id, metaId: 'm1' }),
  settleReceipt: (tx) => webhooks.settleReceipt(tx, receipt, { ...understood, told_for: [] }),
  postponeReceipt: (tx) => webhooks.postponeReceipt(tx, receipt, { attempts: 1, notBefore: after }),
  listReceipts: (tx) => webhooks.listReceipts(tx, a, [receiptId]),
  removeOldReceipts: (tx) => webhooks.removeOldReceipts(tx, after, 5),
  redriveReceipts: async (tx) => {
    await webhooks.settleReceipt(tx, receipt, { state: 'parked' });
    return webhooks.redriveReceipts(tx, { workspaceId: a, connectionId: id, now, limit: 5 });
  },
  removeReceipts: (tx) => webhooks.removeReceipts(tx, a, id, 5),
};
/** They lock a name and touch no row. */
const locks = ['tryLockReceipts'];

const dump = async (tx: Db) =>
  JSON.stringify([
    await tx.selectFrom('connection').selectAll().orderBy('id').execute(),
    await tx.selectFrom('switched_off').selectAll().orderBy('user_id').execute(),
    await tx.selectFrom('oauth_state').selectAll().orderBy('state_hash').execute(),
    await tx.selectFrom('field_catalogue').selectAll().orderBy('object').execute(),
    await tx.selectFrom('webhook_receipt').selectAll().orderBy('id').execute(),
  ]);

/** What a call gives and changes in the scope of a workspace; undone afterwards. */
async function observe(scope: WorkspaceId, call: Call) {
  const seen: { result?: unknown; changed: boolean } = { changed: false };
  const undo = new Error('undo');
  const refused = await withWorkspace(db, scope, async (tx) => {
    const earlier = await dump(tx);
    seen.result = await call(tx);
    seen.changed = (await dump(tx)) !== earlier;
    throw undo;
  }).catch((error: unknown) => error);
  return { result: seen.result, changed: seen.changed, refused: refused !== undo };
}

const isNothing = (result: unknown): boolean =>
  result === undefined ||
  result === 0 ||
  result === false ||
  (Array.isArray(result) && result.length === 0) ||
  (result instanceof Map && result.size === 0);

beforeAll(() =>
  withWorkspace(db, a, async (tx) => {
    await accounts.insertConnection(tx, connection);
    await accounts.insertConnection(tx, personal);
    await oauth.insertState(tx, state);
    await ownership.putSwitchedOff(tx, switchedOff);
    await fields.setCatalogue(tx, catalogue);
    await webhooks.insertReceipt(tx, receipt);
    const earlier = { ...receipt, id: newId('wh', WebhookReceiptId) };
    await webhooks.insertReceipt(tx, earlier);
    await webhooks.settleReceipt(tx, earlier, { ...understood, told_for: [], meta_id: 'm1' });
  }),
);
afterAll(drop);

test.each(Object.entries(calls))('%s reaches rows of its own workspace only', async (_, call) => {
  const own = await observe(a, call);
  expect([own.refused, own.changed || !isNothing(own.result)]).toEqual([false, true]);

  const untouched = await acrossWorkspaces(db, dump);
  const foreign = await observe(b, call);
  expect([foreign.changed, isNothing(foreign.result)]).toEqual([false, true]);
  expect(await acrossWorkspaces(db, dump)).toBe(untouched);
});

test('every store function is called above, and every store has such a test', () => {
  const exported = [accounts, ownership, upkeep, oauth, completion, fields, webhooks].flatMap(
    (store) => Object.keys(store),
  );
  expect([...Object.keys(calls), ...locks].sort()).toEqual(exported.sort());
  const here = [
    'accounts',
    'accounts/ownership',
    'upkeep',
    'oauth',
    'oauth/completion',
    'fields',
    'webhooks',
  ];
  // these are called in `writes/tenancy.test.ts`
  const there = [
    ...['links', 'writes', 'writes/carried'],
    ...['writes/sending', 'writes/sending/leasing', 'writes/sending/turns'],
  ];
  // these in tests beside them
  const beside = [
    ...['fields/changes', 'fields/creation', 'fields/external-id', 'fields/sharing'],
    ...['budget', 'budget/plans', 'budget/usage', 'budget/forecast', 'budget/lanes'],
    ...['accounts/grants', 'accounts/grants/lifetime'],
    'accounts/consent',
    'vault',
    'registry',
    ...['registry/forgetting', 'registry/keys'],
    'registry/needs',
    'registry/records',
    'completeness',
    'webhooks/health',
    'webhooks/leases',
    'webhooks/tellings',
    ...[
      'changes',
      'changes/acting',
      'changes/rows',
      'changes/rows/shown',
      'changes/applying',
      'changes/holding',
      'changes/policy',
    ],
    ...['writes/echoes', 'writes/hashes', 'writes/images', 'writes/overwrites', 'writes/steps'],
  ];
  const stores = globSync('**/store.ts', { cwd: import.meta.dirname });
  expect(stores.sort()).toEqual(
    ['store.ts', ...[...here, ...there, ...beside].map((noun) => `${noun}/store.ts`)].sort(),
  );
});
