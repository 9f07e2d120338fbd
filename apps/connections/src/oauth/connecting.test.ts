import { PipedriveFeature, featureNeeds, type WorkspaceId } from '@manifold/contracts';
import {
  createTestDatabase,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  codeOn,
  type Installation,
  newWorkspace,
  startInstallation,
  visit,
} from '../../test/installation.ts';
import { listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const BEGIN = `mutation ($input: BeginConnectionInput!) {
  beginConnection(input: $input) { authorizationUrl } }`;
const LIST = `{ connections { nodes { id kind status app scopes webhooks pipedriveUserId isAdministrator
  company { id name domain } preflight { feature isGranted missing } } } }`;
const CREATE = `mutation ($input: CreateFieldInput!) { createField(input: $input) {
  created field { code type } } }`;

/** Apps as somebody registers them for one permission alone. */
const apps = ['base', 'admin'].map((scope) => ({
  name: scope,
  clientId: `${scope}-app`,
  clientSecret: `canary-${scope}-secret`,
  scopes: scope === 'base' ? ['base'] : ['base', scope],
}));

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
let installation: Installation;
let administrator: number;

beforeAll(async () => {
  const redirectUrl = 'http://127.0.0.1:1/oauth/callback';
  installation = await startInstallation({
    ...{ urls: database.urls, natsUrl: nats.url, sandbox, log: silentLog },
    env: { PIPEDRIVE_APPS: apps.map((app) => ({ ...app, redirectUrl })) },
  });
  for (const app of apps) {
    await installation.control('POST', '/apps', { ...app, redirectUris: [redirectUrl] });
  }
  administrator = (await installation.control('GET', '/state')).users[0].id;
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

/** The page a person ends at who consented, as this service shows it whatever host the app names. */
async function consent(workspaceId: WorkspaceId, input: object = {}) {
  const variables = { input: { kind: 'ORGANIZATION', ...input } };
  const { data } = await installation.graph(BEGIN, variables, { workspaceId });
  const { authorizationUrl } = data.beginConnection;
  const back = new URL(await installation.consent(authorizationUrl, { userId: administrator }));
  return visit(`${installation.publicUrl}${back.pathname}${back.search}`);
}

async function connect(workspaceId: WorkspaceId, input: object = {}) {
  const page = await consent(workspaceId, input);
  const made = await installation.complete(codeOn(page.text), { workspaceId });
  expect(made.errors).toBeUndefined();
  const { data } = await installation.graph(LIST, {}, { workspaceId });
  return data.connections.nodes;
}

const granted = (connection: { preflight: { feature: string; isGranted: boolean }[] }) =>
  connection.preflight.filter(({ isGranted }) => isGranted).map(({ feature }) => feature);

/** What stands at Pipedrive. */
async function standing() {
  const { grants, counts } = await installation.control('GET', '/state');
  return { grants: grants.length, webhooks: counts.webhooks };
}

test('connecting the same user again renews the connection instead of doubling it (WX-22)', async () => {
  const workspaceId = newWorkspace();
  const [first] = await connect(workspaceId);
  expect(await standing()).toEqual({ grants: 1, webhooks: 1 });
  const [again, ...more] = await connect(workspaceId);
  expect(more).toEqual([]);
  expect(again).toMatchObject({ id: first.id, kind: 'ORGANIZATION', webhooks: 'ACTIVE' });
  expect(await standing()).toEqual({ grants: 1, webhooks: 1 });
  const events = await listEvents(database.db, workspaceId, 'connection_established');
  expect(events.map(({ payload }) => payload.renewed)).toEqual([false, true]);
});

test('an app that may read basic information only connects: user and company are known, all else is named as missing (WX-16)', async () => {
  const [connection] = await connect(newWorkspace(), { app: 'base' });
  expect(connection).toMatchObject({
    ...{ status: 'ACTIVE', app: 'base', scopes: ['base'], webhooks: 'FAILED' },
    ...{ pipedriveUserId: String(administrator), isAdministrator: true },
    company: { name: 'Sandbox Inc', domain: 'sandbox' },
  });
  const lacking = PipedriveFeature.options.map((feature) => ({
    ...{ feature, isGranted: false },
    missing: featureNeeds[feature].scopes.map(([first]) => first),
  }));
  expect(connection.preflight).toEqual(lacking);
});

test('an app that may administer the account is told of changes, knows the users and makes fields (WX-18)', async () => {
  const workspaceId = newWorkspace();
  const [connection] = await connect(workspaceId, { app: 'admin' });
  expect(connection).toMatchObject({ status: 'ACTIVE', app: 'admin', webhooks: 'ACTIVE' });
  expect(granted(connection)).toEqual([
    'CREATE_CONTACT_FIELDS',
    'CREATE_DEAL_FIELDS',
    'CREATE_PRODUCT_FIELDS',
    'WEBHOOKS',
    'USERS',
  ]);
  const input = { connectionId: connection.id, object: 'PERSON', name: 'Tier', type: 'VARCHAR' };
  const { data } = await installation.graph(CREATE, { input }, { workspaceId });
  expect(data.createField).toMatchObject({ created: true, field: { type: 'varchar' } });
});

test('a user of Pipedrive kept for the whole workspace is recommended where it is connected (SL-87)', async () => {
  const recommended = /user of Pipedrive kept for this alone/;
  expect((await consent(newWorkspace())).text).toMatch(recommended);
  expect((await consent(newWorkspace(), { kind: 'PERSONAL' })).text).not.toMatch(recommended);
  const schema = await readFile(new URL('../accounts/schema.graphql', import.meta.url), 'utf8');
  const [, description] = /"([^"]*)"\s+ORGANIZATION\n/.exec(schema) ?? [];
  expect(description).toMatch(recommended);
});
