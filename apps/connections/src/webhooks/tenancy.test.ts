import {
  CompletenessCertificateId,
  ConnectionId,
  WebhookReceiptId,
  WorkspaceId,
} from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createWorld } from '../../test/writing.ts';
import { beginCertificate } from '../completeness/commands.ts';
import * as completeness from '../completeness/store.ts';
import { migrations } from '../migrations/index.ts';
import * as needs from '../registry/needs/store.ts';
import * as forgetting from '../registry/forgetting/store.ts';
import * as keys from '../registry/keys/store.ts';
import * as records from '../registry/records/store.ts';
import * as registry from '../registry/store.ts';
import type { Db, Tables } from '../store.ts';
import * as health from './health/store.ts';
import * as leases from './leases/store.ts';
import * as tellings from './tellings/store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const { workspaceId: A, connection } = world;
const B = newId('ws', WorkspaceId);
const now = new Date('2026-03-01T10:00:00Z');
const later = new Date(now.getTime() + 60_000);
const { id: connectionId, company_id } = connection;
const place = { workspace_id: A, company_id, object: 'person' as const };
const watched = { workspace_id: A, id: connectionId, due_at: now };
const need = { ...place, connection_id: connectionId, feature: 'test', keys: [], created_at: now };
const orphan = { ...need, connection_id: newId('cn', ConnectionId) };
const known = { pipedriveId: '1', updateTime: now, revision: 1, deleted: false };
const told = newId('cn', ConnectionId);
const telling = {
  workspace_id: A,
  connection_id: connectionId,
  record: 'sealed',
  received_at: now,
  object: 'person' as const,
  pipedrive_id: '1',
  action: 'updated' as const,
  revision: '1',
};
const receipt = (metaId: string) => ({
  ...telling,
  id: newId('wh', WebhookReceiptId),
  meta_id: metaId,
  told_for: [told],
});

// rows of A that every function below could reach if it saw them
const certificate = await world.scoped(async (tx) => {
  await registry.insertRegistry(tx, { ...place, connection_id: connectionId, now, verify_at: now });
  await registry.setRegistry(tx, place, { swept_until: now, reader: 'held' });
  await needs.putNeed(tx, need);
  await needs.putNeed(tx, orphan);
  await records.putKnown(tx, place, [known, { ...known, pipedriveId: '2', deleted: true }]);
  await keys.putKeys(tx, place, { keys: [{ hash: 'h', pipedriveId: '1' }], replaced: [] });
  await health.putHealth(tx, watched);
  await leases.takeLease(tx, watched, { holder: 'h', seconds: 60 });
  await tellings.insertReadReceipt(tx, receipt('m1'));
  const asker = {
    workspaceId: A,
    actor: { kind: 'service', id: 'x' },
    correlationId: 'x',
  } as const;
  const found = await registry.findRegistry(tx, place);
  if (found === undefined) throw new Error('no registry was made');
  return beginCertificate(tx, found, { asker, repairs: true, now });
});
const gap = {
  workspace_id: A,
  certificate_id: certificate.id,
  pipedrive_id: '1',
  kind: 'extra' as const,
  pipedrive_time: null,
  known_time: now,
};
await world.scoped((tx) => completeness.insertGaps(tx, [gap]));
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

type Call = (tx: Db) => Promise<unknown>;
const range = { after: '0', upTo: undefined, without: [], limit: 5, withHidden: true };
const organizations = { ...place, object: 'organization' as const };

const calls: Record<string, Call> = {
  findRegistry: (tx) => registry.findRegistry(tx, place),
  lockRegistry: (tx) => registry.lockRegistry(tx, place),
  lockRegistries: (tx) => registry.lockRegistries(tx, place),
  listRegistries: (tx) => registry.listRegistries(tx, A, company_id),
  insertRegistry: (tx) =>
    registry.insertRegistry(tx, {
      ...organizations,
      connection_id: connectionId,
      now,
      verify_at: now,
    }),
  setRegistry: (tx) => registry.setRegistry(tx, place, { failures: 7 }),
  removeRegistry: (tx) => registry.removeRegistry(tx, place),
  setSweepDue: (tx) => registry.setSweepDue(tx, { workspaceId: A, connectionId, now: later }),
  setSweepsDue: (tx) => registry.setSweepsDue(tx, { before: later, now: later }),
  leaseRegistries: (tx) => registry.leaseRegistries(tx, { now: later, until: later, limit: 5 }),
  takeReading: (tx) => registry.takeReading(tx, place, { reader: 'r', seconds: 5 }),
  releaseReading: (tx) => registry.releaseReading(tx, place, 'held'),
  putNeed: (tx) => needs.putNeed(tx, { ...need, feature: 'other' }),
  removeNeed: (tx) => needs.removeNeed(tx, need),
  removeOrphanedNeeds: (tx) => needs.removeOrphanedNeeds(tx, place),
  listNeeds: (tx) => needs.listNeeds(tx, { workspaceId: A, companyId: company_id }),
  listKnown: (tx) => records.listKnown(tx, place, ['1']),
  listKnownBetween: (tx) => records.listKnownBetween(tx, place, range),
  countKnownBetween: (tx) => records.countKnownBetween(tx, place, range),
  countKnown: (tx) => records.countKnown(tx, { workspaceId: A, companyId: company_id }),
  setHidden: (tx) => records.setHidden(tx, place, { ids: ['1'], hidden: true }),
  putKnown: (tx) => records.putKnown(tx, place, [{ ...known, revision: 2 }]),
  markIndexed: (tx) => records.markIndexed(tx, place, [{ pipedriveId: '1', at: now }]),
  putKeys: (tx) =>
    keys.putKeys(tx, place, { keys: [{ hash: 'i', pipedriveId: '1' }], replaced: [] }),
  removeKeys: (tx) => keys.removeKeys(tx, place, ['1']),
  listRecordsWithKey: (tx) => keys.listRecordsWithKey(tx, place, { keyHash: 'h', limit: 5 }),
  removeRecords: (tx) => forgetting.removeRecords(tx, place, 5),
  removeOldDeleted: (tx) => forgetting.removeOldDeleted(tx, place, later),
  insertCertificate: (tx) =>
    completeness.insertCertificate(tx, {
      ...certificate,
      id: newId('cc', CompletenessCertificateId),
      object: 'organization',
    }),
  listCertificates: (tx) => completeness.listCertificates(tx, [certificate.id]),
  lockCertificate: (tx) => completeness.lockCertificate(tx, certificate.id),
  findOpenCertificate: (tx) => completeness.findOpenCertificate(tx, place),
  findWaitingCertificate: async (tx) => {
    await completeness.setCertificate(tx, certificate.id, { state: 'WAITING' });
    return completeness.findWaitingCertificate(tx, place);
  },
  listNewestCertificates: (tx) => completeness.listNewestCertificates(tx, A, company_id),
  setCertificate: (tx) => completeness.setCertificate(tx, certificate.id, { missing: 1 }),
  removeOldCertificates: (tx) => completeness.removeOldCertificates(tx, place, 0),
  removeCertificates: (tx) => completeness.removeCertificates(tx, place),
  insertGaps: (tx) => completeness.insertGaps(tx, [{ ...gap, pipedrive_id: '2' }]),
  listGaps: (tx) => completeness.listGaps(tx, certificate.id, { limit: 5 }),
  removeGaps: (tx) => completeness.removeGaps(tx, certificate.id),
  findHealth: (tx) => health.findHealth(tx, connectionId),
  findAnyHealth: (tx) => health.findAnyHealth(tx, connectionId),
  listHealth: (tx) => health.listHealth(tx, [connectionId]),
  watchConnections: async (tx) => {
    await tx.deleteFrom('webhook_health').execute();
    await health.watchConnections(tx, later);
  },
  forgetConnections: async (tx) => {
    await tx.deleteFrom('connection').execute();
    await health.forgetConnections(tx);
  },
  leaseHealth: (tx) => health.leaseHealth(tx, { now: later, until: later, limit: 5 }),
  hastenCheck: (tx) => health.hastenCheck(tx, watched, new Date(0)),
  takeLease: (tx) =>
    leases.takeLease(tx, { ...watched, id: orphan.connection_id }, { holder: 'h', seconds: 60 }),
  releaseLease: (tx) => leases.releaseLease(tx, connectionId, 'h'),
  setHealth: (tx) => health.setHealth(tx, connectionId, { state: 'FAILING' }),
  putHealth: (tx) => health.putHealth(tx, { ...watched, due_at: later }),
  insertReadReceipt: (tx) => tellings.insertReadReceipt(tx, receipt('m2')),
  isToldByAnother: (tx) =>
    tellings.isToldByAnother(tx, { ...receipt('m1'), workspaceId: A, connectionId: told }),
  listOtherConnections: (tx) => tellings.listOtherConnections(tx, { ...connection, id: told }),
  findNewestTelling: (tx) =>
    tellings.findNewestTelling(tx, {
      workspaceId: A,
      connectionId,
      object: 'person',
      pipedriveId: '1',
    }),
};
/** They lock a name and touch no row. */
const locks = ['lockBeginning'];
const tables = [
  'record_registry',
  'registry_need',
  'known_record',
  'indexed_key',
  'completeness_certificate',
  'completeness_gap',
  'webhook_health',
  'webhook_lease',
  'webhook_receipt',
] as const;

async function dump(tx: Db): Promise<string> {
  const dumps: string[] = [];
  for (const table of tables) {
    const rows = await tx.selectFrom(table).selectAll().execute();
    dumps.push(...rows.map((row) => `${table} ${JSON.stringify(row)}`).toSorted());
  }
  return dumps.join('\n');
}

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
  (Array.isArray(result) && result.length === 0);

test.each(Object.entries(calls))('%s reaches rows of its own workspace only', async (_, call) => {
  const own = await observe(A, call);
  expect([own.refused, own.changed || !isNothing(own.result)]).toEqual([false, true]);
  const untouched = await acrossWorkspaces(db, dump);
  const foreign = await observe(B, call);
  expect([foreign.changed, isNothing(foreign.result)]).toEqual([false, true]);
  expect(await acrossWorkspaces(db, dump)).toBe(untouched);
});

test('every store function is called above', () => {
  const ofRegistry = [registry, needs, records, keys, forgetting];
  const stores = [...ofRegistry, completeness, health, leases, tellings];
  const exported = stores.flatMap((store) => Object.keys(store));
  expect([...Object.keys(calls), ...locks].sort()).toEqual(exported.sort());
});
