import { ConnectionId, UserId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectionRow } from '../../test/rows.ts';
import { insertConnection } from '../accounts/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Db, Tables } from '../store.ts';
import * as changes from './changes/store.ts';
import * as creation from './creation/store.ts';
import * as externalId from './external-id/store.ts';
import * as sharing from './sharing/store.ts';
import { setCatalogue } from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const now = new Date('2026-03-01T10:00:00Z');
const later = new Date(now.getTime() + 60_000);
const [a, b] = [newId('ws', WorkspaceId), newId('ws', WorkspaceId)];
const id = newId('cn', ConnectionId);
const otherId = newId('cn', ConnectionId);
const page = { limit: 10, backwards: false, cursor: undefined };

const change = {
  workspace_id: a,
  connection_id: id,
  object: 'person',
  revision: 2,
  kind: 'added',
  field_code: 'pet',
  field_name: 'Pet',
  option_id: null,
  before: null,
  after: 'Pet',
  found_at: now,
} as const;
const consentOf = (object: 'person' | 'deal' | 'organization') => ({
  workspace_id: a,
  company_id: '1',
  object,
  connection_id: id,
  allowed_by: newId('us', UserId),
  allowed_at: now,
});
const [person, deal] = [
  { companyId: '1', object: 'person' as const },
  { companyId: '1', object: 'deal' as const },
];
const learned = { fields: 30, learnedAt: now };

type Call = (tx: Db) => Promise<unknown>;

/** Every store function, called for the rows of A. */
const calls: Record<string, Call> = {
  insertFieldChanges: (tx) => changes.insertFieldChanges(tx, [change]),
  listFieldChanges: (tx) => changes.listFieldChanges(tx, { connectionId: id }, page),
  countFieldChanges: (tx) => changes.countFieldChanges(tx, { connectionId: id }),
  removeOldFieldChanges: (tx) => changes.removeOldFieldChanges(tx, id, later),
  leaseCreation: (tx) =>
    creation.leaseCreation(
      tx,
      { workspaceId: a, companyId: '1' },
      { owner: 'o', now: later, until: new Date(later.getTime() + 1) },
    ),
  extendCreation: (tx) => creation.extendCreation(tx, '1', { owner: 'me', until: null }),
  findLearnedCap: (tx) => creation.findLearnedCap(tx, '1'),
  setLearnedCap: (tx) => creation.setLearnedCap(tx, '1', { ...learned, fields: 31 }),
  allowField: (tx) => externalId.allowField(tx, consentOf('organization')),
  disallowFields: (tx) => externalId.disallowFields(tx, '1', ['person']),
  findExternalIdField: (tx) => externalId.findExternalIdField(tx, person),
  listExternalIdFields: (tx) => externalId.listExternalIdFields(tx, ['1']),
  leaseField: (tx) => externalId.leaseField(tx, deal, { owner: 'o', now, until: later }),
  handOnConsents: (tx) => externalId.handOnConsents(tx, id),
  settleField: (tx) => externalId.settleField(tx, deal, { code: 'c', at: now }),
  takeOverReadings: (tx) => sharing.takeOverReadings(tx, { id, company_id: '1' }),
  forgetField: (tx) => externalId.forgetField(tx, person, { code: 'p', foundBefore: later }),
};

const dump = async (tx: Db) =>
  JSON.stringify([
    await tx.selectFrom('field_change').selectAll().orderBy('number').execute(),
    await tx.selectFrom('field_creation').selectAll().orderBy('company_id').execute(),
    await tx.selectFrom('external_id_field').selectAll().orderBy('object').execute(),
    await tx.selectFrom('field_catalogue').selectAll().orderBy('connection_id').execute(),
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
  return { ...seen, refused: refused !== undo };
}

const isNothing = (result: unknown): boolean =>
  result === undefined ||
  result === 0 ||
  result === false ||
  (Array.isArray(result) && result.length === 0);

beforeAll(() =>
  withWorkspace(db, a, async (tx) => {
    await insertConnection(tx, connectionRow(a, { id }));
    await insertConnection(tx, connectionRow(a, { id: otherId, pipedrive_user_id: '3' }));
    await changes.insertFieldChanges(tx, [change]);
    for (const [connectionId, at] of [
      [id, now],
      [otherId, later],
    ] as const) {
      const read = { revision: 1, fields: [], readAt: at, askedAt: at };
      await setCatalogue(tx, { workspaceId: a, connectionId, object: 'person', ...read });
    }
    await creation.leaseCreation(
      tx,
      { workspaceId: a, companyId: '1' },
      { owner: 'me', now, until: later },
    );
    await creation.setLearnedCap(tx, '1', learned);
    await externalId.allowField(tx, consentOf('person'));
    await externalId.allowField(tx, consentOf('deal'));
    await externalId.settleField(tx, person, { code: 'p', at: now });
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

test('every store function is called above', () => {
  const exported = [changes, creation, externalId, sharing].flatMap((store) => Object.keys(store));
  expect(Object.keys(calls).sort()).toEqual(exported.sort());
});

test('what belongs to a connection goes with it', async () => {
  const undo = new Error('undo');
  await withWorkspace(db, a, async (tx) => {
    await tx.deleteFrom('connection').where('id', '=', id).execute();
    expect(await tx.selectFrom('field_change').selectAll().execute()).toEqual([]);
    expect(await tx.selectFrom('external_id_field').selectAll().execute()).toEqual([]);
    throw undo;
  }).catch((error: unknown) => {
    if (error !== undo) throw error;
  });
});

test('consents given for a connection that goes are kept for another of the same company', async () => {
  const undo = new Error('undo');
  await withWorkspace(db, a, async (tx) => {
    await externalId.handOnConsents(tx, id);
    await tx.deleteFrom('connection').where('id', '=', id).execute();
    const kept = await externalId.listExternalIdFields(tx, ['1']);
    expect(kept.map(({ object }) => object)).toEqual(['deal', 'person']);
    throw undo;
  }).catch((error: unknown) => {
    if (error !== undo) throw error;
  });
});
