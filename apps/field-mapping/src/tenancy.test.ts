import {
  ConnectionId,
  FieldMappingId,
  type MappingSource,
  UserId,
  WorkspaceId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as catalogue from './catalogue/store.ts';
import * as displays from './display/store.ts';
import * as drifting from './drift/store.ts';
import * as mappings from './mappings/store.ts';
import * as matching from './matching/store.ts';
import { migrations } from './migrations/index.ts';
import type { Db, MappingDrift, Tables } from './store.ts';
import * as versions from './versions/store.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const now = new Date('2026-03-01');
const a = newId('ws', WorkspaceId);
const b = newId('ws', WorkspaceId);
const id = newId('fm', FieldMappingId);
const connectionId = newId('cn', ConnectionId);
const page = { limit: 10, backwards: false, cursor: undefined };
const policy = {
  existing: 'overwrite',
  createMissing: true,
  ignoreEmpty: true,
  protected: [],
  protectFilled: false,
} as const;
const source: MappingSource = {
  direction: 'to_pipedrive',
  rows: [],
  policy: { ...policy, protected: [] },
  catalogue: [],
};
const mapping = {
  workspace_id: a,
  id,
  name: 'A',
  purpose: 'REFERRALS_TO_PIPEDRIVE',
  connection_id: connectionId,
  state: 'PUBLISHED',
  version: 1,
  rows: '[]',
  policy: JSON.stringify(policy),
  created_at: now,
  updated_at: now,
} as const;
const version = {
  workspace_id: a,
  mapping_id: id,
  version: 1,
  hash: 'a'.repeat(64),
  source: JSON.stringify(source),
  published_at: now,
};
const fields = {
  workspace_id: a,
  connection_id: connectionId,
  object: 'person',
  revision: 1,
  fields: '[]',
  read_at: now,
} as const;
const drift: MappingDrift = {
  ...{ workspace_id: a, mapping_id: id, row_id: 'person.name' },
  ...{ change: 'REMOVED', object: 'person', field: 'name', before: 'Name', after: null },
  ...{ published: true, working: true, quarantined: true, since: now },
};
const viewer = { userId: newId('us', UserId), object: 'CONTACT' } as const;
const display = {
  ...{ workspace_id: a, user_id: viewer.userId, object: viewer.object },
  ...{ fields: '[]', updated_at: now },
};
const listing = { filter: {}, orderBy: 'name', descending: false, page } as const;

/** Every store function, called for the rows of A. */
const reads: Record<string, (tx: Db) => Promise<unknown>> = {
  findMapping: (tx) => mappings.findMapping(tx, a, id),
  lockMapping: (tx) => mappings.lockMapping(tx, a, id),
  listMappingsByIds: (tx) => mappings.listMappingsByIds(tx, a, [id]),
  listMappings: (tx) => mappings.listMappings(tx, a, listing),
  countMappings: (tx) => mappings.countMappings(tx, a, {}),
  findVersion: (tx) => versions.findVersion(tx, a, { mappingId: id }),
  listVersions: (tx) => versions.listVersions(tx, a, [id]),
  listNewestVersions: (tx) => versions.listNewestVersions(tx, a, [id]),
  lockMappingsOf: (tx) => mappings.lockMappingsOf(tx, a, connectionId),
  listRecentRows: (tx) => matching.listRecentRows(tx, a, 'REFERRALS_TO_PIPEDRIVE'),
  listDrift: (tx) => drifting.listDrift(tx, a, [id]),
  findDisplayConfig: (tx) => displays.findDisplayConfig(tx, a, viewer),
  listPublishedMappings: (tx) => displays.listPublishedMappings(tx, a),
  listCatalogues: (tx) =>
    catalogue.listCatalogues(tx, a, { connectionIds: [connectionId], objects: ['person'] }),
};
const changes: Record<string, (tx: Db) => Promise<unknown>> = {
  setWorkingCopy: (tx) =>
    mappings.setWorkingCopy(tx, {
      workspace_id: a,
      id,
      name: 'stolen',
      state: 'DRAFT',
      rows: [],
      policy: { ...policy, protected: [] },
      updated_at: now,
    }),
  setPublished: (tx) =>
    mappings.setPublished(tx, { workspace_id: a, id, version: 9, fields: [], updated_at: now }),
  deleteDrift: (tx) => drifting.deleteDrift(tx, a, id),
  deleteDisplayConfig: (tx) => displays.deleteDisplayConfig(tx, a, viewer),
};
const inserts: Record<string, (tx: Db) => Promise<unknown>> = {
  insertMapping: (tx) =>
    mappings.insertMapping(tx, { ...mapping, id: newId('fm', FieldMappingId) }),
  insertVersion: (tx) => versions.insertVersion(tx, { ...version, version: 2 }),
  insertCatalogue: (tx) => catalogue.insertCatalogue(tx, { ...fields, revision: 2 }),
  insertDrift: (tx) => drifting.insertDrift(tx, [{ ...drift, row_id: 'other' }]),
  setDisplayConfig: (tx) => displays.setDisplayConfig(tx, { ...display, object: 'ACCOUNT' }),
};

beforeAll(() =>
  withWorkspace(db, a, async (tx) => {
    await mappings.insertMapping(tx, mapping);
    await versions.insertVersion(tx, version);
    await catalogue.insertCatalogue(tx, fields);
    await mappings.insertMapping(tx, {
      ...mapping,
      id: newId('fm', FieldMappingId),
      purpose: 'CONTACTS_FROM_PIPEDRIVE',
    });
    await drifting.insertDrift(tx, [drift]);
    await displays.setDisplayConfig(tx, display);
  }),
);
afterAll(drop);

const isFound = (result: unknown): boolean =>
  Array.isArray(result) ? result.length > 0 : result !== undefined && result !== 0;

const allRows = () =>
  withWorkspace(ownerDb, a, async (tx) => [
    await tx.selectFrom('field_mapping').selectAll().execute(),
    await tx.selectFrom('mapping_version').selectAll().execute(),
    await tx.selectFrom('field_catalogue').selectAll().execute(),
    await tx.selectFrom('mapping_drift').selectAll().execute(),
    await tx.selectFrom('display_config').selectAll().execute(),
  ]);

test('no store function is left out of this file', () => {
  const exported = [catalogue, displays, drifting, mappings, matching, versions].flatMap((store) =>
    Object.keys(store),
  );
  expect(Object.keys({ ...reads, ...changes, ...inserts }).toSorted()).toEqual(exported.toSorted());
});

test.each(Object.entries(reads))('%s finds nothing of another workspace', async (_, read) => {
  expect(isFound(await withWorkspace(db, a, read))).toBe(true);
  expect(isFound(await withWorkspace(db, b, read))).toBe(false);
});

test.each(Object.entries(changes))('%s changes nothing of another workspace', async (_, change) => {
  const before = await allRows();
  await withWorkspace(db, b, change);
  expect(await allRows()).toEqual(before);
});

test.each(Object.entries(inserts))('%s adds nothing to another workspace', async (_, insert) => {
  const before = await allRows();
  await expect(withWorkspace(db, b, insert)).rejects.toThrow('row-level security');
  expect(await allRows()).toEqual(before);
});

test.each(Object.entries(changes))('%s works in its own workspace', async (_, change) => {
  const before = await allRows();
  await withWorkspace(db, a, change);
  expect(await allRows()).not.toEqual(before);
});
