import { ConnectionId, FieldMappingId, WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { createTestDatabase, silentLog, startTestGraph, startTestNats } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import {
  CAMPAIGNS,
  LAUNCH,
  ONE_CAMPAIGN,
  ONE_USER,
  PAUSE,
  RETRY,
  SAVE,
  SIGN_UP,
  USERS,
} from '../test/operations.ts';
import { startReferrals } from '../test/referrals.ts';
import { migrations } from './migrations/index.ts';
import type { Tables } from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
const referrals = await startReferrals({ db, nats, log: silentLog, startTestGraph });
const { connectionId, mappingId, neighbours, graph, openCampaign, userOf } = referrals;
const { state } = neighbours;
const stopConnections = neighbours.startConnections();
const stopFieldMapping = neighbours.startFieldMapping();
const stranger = { workspaceId: newId('ws', WorkspaceId) };
let campaignId = '';

beforeEach(async () => {
  state.mapping = {
    ...state.mapping,
    connectionId,
    purpose: 'REFERRALS_TO_PIPEDRIVE',
    isPublished: true,
    isAbsent: false,
  };
  campaignId = await openCampaign();
});
afterAll(async () => {
  await referrals.stop();
  await stopConnections();
  await stopFieldMapping();
  await stop();
  await drop();
});

test('plus tags make different users (RF-27)', async () => {
  const one = await signUp({ email: 'cy+one@example.com' });
  const two = await signUp({ email: 'cy+two@example.com' });
  expect([one.created, two.created]).toEqual([true, true]);
});

test('repeating a sign-up with its key gives the first answer', async () => {
  const input = { email: 'key@example.com', idempotencyKey: `k-${campaignId}` };
  const first = await signUp(input);
  expect(await signUp(input)).toMatchObject({
    created: true,
    referralUser: { id: first.referralUser.id },
  });
  expect(await signUp({ email: 'key@example.com' })).toMatchObject({ created: false });
});

test('who comes by a link is counted for its owner', async () => {
  const { referralUser: owner } = await signUp({ email: 'owner@example.com' });
  const came = await signUp({ email: 'friend@example.com', referredByCode: owner.code });
  expect(came.referralUser).toMatchObject({ source: 'REFERRAL', referredBy: { id: owner.id } });
  expect((await userOf(owner.id)).referralCount).toBe(1);

  const input = { campaignId, firstName: 'X', email: 'x@example.com', referredByCode: 'nobody' };
  const { errors } = await graph(SIGN_UP, { input });
  expect(errors[0].extensions).toMatchObject({
    field: 'input.referredByCode',
    reason: 'invalid_input',
  });
});

test('a campaign that is not open takes no sign-ups', async () => {
  await graph(PAUSE, { input: { id: campaignId } });
  const input = { campaignId, email: 'late@example.com', firstName: 'Late' };
  const { errors } = await graph(SIGN_UP, { input });
  expect(errors[0].extensions).toMatchObject({
    code: 'PRECONDITION_FAILED',
    reason: 'campaign_not_open',
  });
});

test('settings belong to the campaign, and what is left out stays (RF-05, RF-08, RF-21)', async () => {
  const id = await openCampaign({
    updateExisting: true,
    defaults: [{ field: 'owner_id', value: { number: 7 } }],
    formFields: [{ key: 'company', label: 'Company', required: true }],
    linkBase: 'https://acme.test/join',
  });
  const { data } = await graph(SAVE, { input: { id, name: 'Autumn', connectionId } });

  expect(data.saveCampaign.campaign).toEqual({
    id,
    name: 'Autumn',
    state: 'OPEN',
    updateExisting: true,
    linkBase: 'https://acme.test/join',
    mapping: { id: mappingId },
    connection: { id: connectionId },
    defaults: [
      { object: 'LEAD', field: 'owner_id', label: 'owner_id', value: { number: 7, text: null } },
    ],
    formFields: [{ key: 'company', label: 'Company', required: true }],
  });
});

test.each([
  [
    'a default for a field that does not exist',
    { defaults: [{ field: 'stage', value: { number: 1 } }] },
    { code: 'BAD_USER_INPUT', reason: 'unknown_field', field: 'input.defaults.0' },
  ],
  [
    'a connection that does not exist',
    { connectionId: newId('cn', ConnectionId) },
    { code: 'NOT_FOUND', reason: 'record_not_found' },
  ],
  [
    'a form field with the name of one every sign-up has',
    { formFields: [{ key: 'email', label: 'E-mail' }] },
    { code: 'BAD_USER_INPUT', field: 'input.formFields.0.key' },
  ],
  [
    'a link nobody can follow',
    { linkBase: 'javascript:alert(1)' },
    { code: 'BAD_USER_INPUT', field: 'input.linkBase' },
  ],
  [
    'a value in two forms',
    { defaults: [{ field: 'owner_id', value: { number: 1, text: '1' } }] },
    { code: 'BAD_USER_INPUT', field: 'input.defaults.0.value' },
  ],
])('%s is refused', async (_, settings, extensions) => {
  const { errors } = await graph(SAVE, { input: { name: 'Bad', connectionId, ...settings } });
  expect(errors[0].extensions).toMatchObject(extensions);
});

test('a campaign opens only with a published mapping of its connection', async () => {
  const launch = async (settings: object) => {
    const input = { name: 'New', connectionId, ...settings };
    const { data } = await graph(SAVE, { input });
    const { errors } = await graph(LAUNCH, {
      input: { id: data.saveCampaign.campaign.id },
    });
    return errors[0].extensions;
  };
  const notPublished = { code: 'PRECONDITION_FAILED', reason: 'mapping_not_published' };
  expect(await launch({})).toMatchObject({ ...notPublished, fix: expect.any(String) });

  state.mapping.isPublished = false;
  expect(await launch({ mappingId })).toMatchObject({ ...notPublished, fix: expect.any(String) });
});

test.each([
  [
    'of another connection',
    { connectionId: newId('cn', ConnectionId) },
    { code: 'PRECONDITION_FAILED', reason: 'invalid_input' },
  ],
  [
    'for another purpose',
    { purpose: 'CONTACTS_FROM_PIPEDRIVE' as const },
    { code: 'PRECONDITION_FAILED', reason: 'invalid_input' },
  ],
  ['nobody has', { isAbsent: true }, { code: 'NOT_FOUND', reason: 'record_not_found' }],
])('a mapping %s cannot be chosen, not even for a draft', async (_, mapping, extensions) => {
  state.mapping = { ...state.mapping, ...mapping };
  const input = { name: 'New', connectionId, mappingId: newId('fm', FieldMappingId) };
  const { errors } = await graph(SAVE, { input });
  const told = { ...extensions, field: 'input.mappingId', fix: expect.any(String) };
  expect(errors[0].extensions).toMatchObject(told);
});

test('a mapping that is not published yet can be chosen for a draft', async () => {
  state.mapping.isPublished = false;
  const input = { name: 'New', connectionId, mappingId: newId('fm', FieldMappingId) };
  const { data } = await graph(SAVE, { input });
  expect(data.saveCampaign.campaign.mapping).toEqual({ id: input.mappingId });
});

test('a connection that was removed empties one field and not the list', async () => {
  const { data } = await graph('{ __type(name: "Campaign") { fields { name type { kind } } } }');
  expect(data.__type.fields).toContainEqual({ name: 'connection', type: { kind: 'OBJECT' } });
});

test('a text that cannot be stored is refused by the name of its field', async () => {
  const nul = 'a\0b';
  const fieldsOf = async (operation: string, input: object) => {
    const { errors } = await graph(operation, { input });
    return errors[0].extensions.issues.map(({ field }: { field: string }) => field);
  };
  const settings = {
    name: nul,
    connectionId,
    linkBase: `https://acme.test/${nul}`,
    formFields: [{ key: 'company', label: nul }],
    defaults: [{ field: 'title', value: { text: nul } }],
  };
  expect(await fieldsOf(SAVE, settings)).toEqual([
    'input.name',
    'input.defaults.0.value.text',
    'input.formFields.0.label',
    'input.linkBase',
  ]);
  const person = {
    campaignId,
    email: 'nul@example.com',
    firstName: nul,
    lastName: nul,
    referredByCode: nul,
    attributes: [{ key: 'company', value: nul }],
  };
  expect(await fieldsOf(SIGN_UP, person)).toEqual([
    'input.firstName',
    'input.lastName',
    'input.attributes.0.value',
    'input.referredByCode',
  ]);
});

test('an open campaign cannot be moved to a mapping that does not serve it', async () => {
  state.mapping.isPublished = false;
  const input = {
    id: campaignId,
    name: 'Spring',
    connectionId,
    mappingId: newId('fm', FieldMappingId),
  };
  const { errors } = await graph(SAVE, { input });
  expect(errors[0].extensions.reason).toBe('mapping_not_published');
});

test('launching and pausing twice is once', async () => {
  const change = async (operation: string) =>
    (await graph(operation, { input: { id: campaignId } })).data;
  await change(PAUSE);
  expect((await change(PAUSE)).pauseCampaign.campaign.state).toBe('PAUSED');
  await change(LAUNCH);
  expect((await change(LAUNCH)).launchCampaign.campaign.state).toBe('OPEN');
});

test('a bad sign-up names every field at fault', async () => {
  const id = await openCampaign({
    formFields: [{ key: 'company', label: 'Company', required: true }],
  });
  const malformed = { campaignId: id, email: 'nobody', firstName: ' ' };
  const incomplete = {
    campaignId: id,
    email: 'eve@example.com',
    firstName: 'Eve',
    attributes: [{ key: 'size', value: '9' }],
  };
  const fieldsOf = async (input: object) => {
    const { errors } = await graph(SIGN_UP, { input });
    return errors[0].extensions.issues.map(({ field }: { field: string }) => field);
  };
  expect(await fieldsOf(malformed)).toEqual(['input.email', 'input.firstName']);
  expect(await fieldsOf(incomplete)).toEqual(['input.attributes.0.key', 'input.attributes']);
});

test('sign-ups are found by campaign, state, e-mail and time, page by page (RF-28)', async () => {
  for (const name of ['a', 'b', 'c'])
    await signUp({ email: `${name}@list.test`, isTest: name === 'c' });
  const list = async (filter: object, paging: object = {}) => {
    const orderBy = { field: 'EMAIL', direction: 'ASC' };
    const { data } = await graph(USERS, { filter: { campaignId, ...filter }, orderBy, ...paging });
    const { nodes, totalCount, pageInfo } = data.referralUsers;
    return {
      emails: nodes.map(({ email }: { email: string }) => email[0]).join(''),
      totalCount,
      pageInfo,
    };
  };
  const first = await list({}, { first: 2 });

  expect(first).toMatchObject({ emails: 'ab', totalCount: 3, pageInfo: { hasNextPage: true } });
  expect(await list({}, { first: 2, after: first.pageInfo.endCursor })).toMatchObject({
    emails: 'c',
    pageInfo: { hasNextPage: false },
  });
  expect((await list({ email: 'B@LIST.test' })).emails).toBe('b');
  expect((await list({ isTest: false })).emails).toBe('ab');
  expect((await list({ not: { or: [{ email: 'a@list.test' }, { isTest: true }] } })).emails).toBe(
    'b',
  );
  expect((await list({ deliveryState: 'DELIVERED' })).totalCount).toBe(0);
  expect((await list({ signedUpAfter: '2020-01-01T00:00:00Z' })).totalCount).toBe(3);
  expect((await list({ signedUpBefore: '2020-01-01T00:00:00Z' })).totalCount).toBe(0);
});

test('a filter nobody would write by hand is refused, however it is nested', async () => {
  const wide = { or: Array.from({ length: 300 }, () => ({ isTest: true })) };
  let deep: object = { isTest: true };
  for (let level = 0; level < 300; level += 1) deep = { not: deep };
  for (const filter of [wide, deep]) {
    const { errors } = await graph(USERS, { filter });
    expect(errors[0].extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      reason: 'too_many_items',
    });
  }
});

test('campaigns are listed by state and name', async () => {
  await graph(PAUSE, { input: { id: campaignId } });
  const orderBy = { field: 'NAME', direction: 'DESC' };
  const { data } = await graph(CAMPAIGNS, {
    filter: { state: 'PAUSED', connectionId },
    orderBy,
    first: 1,
  });
  expect(data.campaigns.nodes).toHaveLength(1);
  expect(data.campaigns.nodes[0].state).toBe('PAUSED');
});

test.each([
  [
    'a viewer signs nobody up',
    'VIEWER',
    SIGN_UP,
    () => ({ campaignId, email: 'v@example.com', firstName: 'V' }),
  ],
  ['a member changes no settings', 'MEMBER', SAVE, () => ({ name: 'X', connectionId })],
  ['a member opens no campaign', 'MEMBER', LAUNCH, () => ({ id: campaignId })],
] as const)('%s', async (_, role, operation, input) => {
  const { errors } = await graph(operation, { input: input() }, { role });
  expect(errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'role_too_low' });
});

test('what belongs to another workspace is answered like what does not exist', async () => {
  const { referralUser } = await signUp({ email: 'own@example.com' });
  const absent = (id: string) => id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  const answerTo = async (operation: string, id: string, input: object) => {
    const { errors } = await graph(operation, { input }, stranger);
    return JSON.stringify(errors[0]).replaceAll(id, 'ID');
  };
  const same = async (operation: string, id: string, inputOf: (id: string) => object) => {
    const missing = absent(id);
    expect(await answerTo(operation, id, inputOf(id))).toBe(
      await answerTo(operation, missing, inputOf(missing)),
    );
  };
  await same(LAUNCH, campaignId, (id) => ({ id }));
  await same(PAUSE, campaignId, (id) => ({ id }));
  await same(SAVE, campaignId, (id) => ({ id, name: 'X', connectionId }));
  await same(RETRY, referralUser.id, (id) => ({ referralUserId: id }));
  await same(SIGN_UP, campaignId, (id) => ({
    campaignId: id,
    email: 'e@example.com',
    firstName: 'E',
  }));

  expect((await graph(ONE_USER, { id: referralUser.id }, stranger)).data.referralUser).toBeNull();
  expect((await graph(ONE_CAMPAIGN, { id: campaignId }, stranger)).data.campaign).toBeNull();
  expect((await graph(USERS, {}, stranger)).data.referralUsers.totalCount).toBe(0);
  expect((await graph(CAMPAIGNS, {}, stranger)).data.campaigns.totalCount).toBe(0);
});

const signUp = (input: { email: string; [key: string]: unknown }) =>
  referrals.signUp({ campaignId, ...input });
