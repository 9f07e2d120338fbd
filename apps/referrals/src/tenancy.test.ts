import {
  CampaignId,
  ConnectionId,
  FieldMappingId,
  ReferralUserId,
  WorkspaceId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as campaigns from './campaigns/store.ts';
import * as deliveries from './deliveries/store.ts';
import * as mappings from './mappings/store.ts';
import { migrations } from './migrations/index.ts';
import * as people from './people/store.ts';
import type { Db, NewCampaign, NewMappingCopy, NewReferralUser, Tables } from './store.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const now = new Date('2026-03-01');
const a = newId('ws', WorkspaceId);
const b = newId('ws', WorkspaceId);
const campaignId = newId('cp', CampaignId);
const connectionId = newId('cn', ConnectionId);
const mappingId = newId('fm', FieldMappingId);
const userId = newId('ru', ReferralUserId);
const page = { limit: 10, backwards: false, cursor: undefined };

const campaign: NewCampaign = {
  workspace_id: a,
  id: campaignId,
  name: 'A',
  connection_id: connectionId,
  mapping_id: mappingId,
  outcome: 'LEAD',
  update_existing: false,
  defaults: JSON.stringify({ rows: [], catalogue: [] }),
  form_fields: '[]',
  link_base: 'https://ref.acme.test/',
  state: 'OPEN',
  created_at: now,
  updated_at: now,
};
const copy: NewMappingCopy = {
  workspace_id: a,
  mapping_id: mappingId,
  version: 1,
  connection_id: connectionId,
  purpose: 'REFERRALS_TO_PIPEDRIVE',
  hash: 'a'.repeat(64),
  source: '{}',
  fetched_at: now,
};
const user: NewReferralUser = {
  workspace_id: a,
  id: userId,
  campaign_id: campaignId,
  email: 'Ada@example.com',
  email_key: 'ada@example.com',
  first_name: 'Ada',
  attributes: '{}',
  code: 'AdA7kQ2x',
  link: 'https://ref.acme.test/AdA7kQ2x',
  is_test: false,
  signed_up_at: now,
  delivery_state: 'QUEUED',
};

/** Every store function, called for the rows of A. */
const reads: Record<string, (tx: Db) => Promise<unknown>> = {
  findCampaign: (tx) => campaigns.findCampaign(tx, a, campaignId),
  lockCampaign: (tx) => campaigns.lockCampaign(tx, a, campaignId),
  listCampaignsByIds: (tx) => campaigns.listCampaignsByIds(tx, a, [campaignId]),
  listCampaigns: (tx) =>
    campaigns.listCampaigns(tx, a, { filter: {}, orderBy: 'name', descending: false, page }),
  countCampaigns: (tx) => campaigns.countCampaigns(tx, a, {}),
  findMappingCopy: (tx) => mappings.findMappingCopy(tx, a, mappingId),
  lockUser: (tx) => deliveries.lockUser(tx, a, userId),
  findUserByEmail: (tx) =>
    people.findUserByEmail(tx, a, { campaignId, emailKey: 'ada@example.com' }),
  findUserByCode: (tx) => people.findUserByCode(tx, a, { campaignId, code: 'AdA7kQ2x' }),
  listUsersByIds: (tx) => people.listUsersByIds(tx, a, [userId]),
  listUsers: (tx) =>
    people.listUsers(tx, a, { filter: {}, orderBy: 'email_key', descending: false, page }),
  countUsers: (tx) => people.countUsers(tx, a, {}),
};
const changes: Record<string, (tx: Db) => Promise<unknown>> = {
  setCampaign: (tx) => campaigns.setCampaign(tx, { ...campaign, name: 'stolen' }),
  setCampaignState: (tx) =>
    campaigns.setCampaignState(tx, {
      workspace_id: a,
      id: campaignId,
      state: 'PAUSED',
      updated_at: now,
    }),
  setDelivery: (tx) =>
    deliveries.setDelivery(tx, { workspace_id: a, id: userId, delivery_state: 'PARKED' }),
  setReferralCounted: (tx) => people.setReferralCounted(tx, a, userId),
};
const inserts: Record<string, (tx: Db) => Promise<unknown>> = {
  insertCampaign: (tx) =>
    campaigns.insertCampaign(tx, { ...campaign, id: newId('cp', CampaignId) }),
  insertMappingCopy: (tx) => mappings.insertMappingCopy(tx, { ...copy, version: 2 }),
  insertUser: (tx) =>
    people.insertUser(tx, { ...user, id: newId('ru', ReferralUserId), email_key: 'b', code: 'b' }),
};

beforeAll(() =>
  withWorkspace(db, a, async (tx) => {
    await campaigns.insertCampaign(tx, campaign);
    await mappings.insertMappingCopy(tx, copy);
    await people.insertUser(tx, user);
  }),
);
afterAll(drop);

const isFound = (result: unknown): boolean =>
  Array.isArray(result) ? result.length > 0 : result !== undefined && result !== 0;

const allRows = () =>
  withWorkspace(ownerDb, a, async (tx) => [
    await tx.selectFrom('campaign').selectAll().execute(),
    await tx.selectFrom('mapping_copy').selectAll().execute(),
    await tx.selectFrom('referral_user').selectAll().execute(),
  ]);

test('no store function is left out of this file', () => {
  const exported = [campaigns, deliveries, mappings, people].flatMap((store) => Object.keys(store));
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
