import * as v1 from 'pipedrive/v1';
import * as v2 from 'pipedrive/v2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from './index.ts';
import { type Caller, createCaller } from './testing/caller.ts';
import { APP, consent } from './testing/consent.ts';
import { eventually } from './testing/eventually.ts';
import { type Receiver, startReceiver } from './testing/receiver.ts';

let sandbox: Sandbox;
let receiver: Receiver;
let admin: Caller;
let first: v1.Configuration;
let second: v2.Configuration;

beforeAll(async () => {
  sandbox = await startSandbox({ searchLagMs: 20 });
  receiver = await startReceiver();
  admin = createCaller(sandbox.url, { 'x-api-token': sandbox.apiToken });
  first = new v1.Configuration({ apiKey: sandbox.apiToken, basePath: `${sandbox.url}/v1` });
  second = new v2.Configuration({ apiKey: sandbox.apiToken, basePath: `${sandbox.url}/api/v2` });
});

afterAll(async () => {
  await sandbox.stop();
  await receiver.stop();
});

test('persons: create, get, list, update, delete', async () => {
  const persons = new v2.PersonsApi(second);
  const created = await persons.addPerson({
    AddPersonRequest: { name: 'Jane Doe', emails: [{ value: 'jane@example.com', primary: true }] },
  });
  const id = created.data?.id ?? 0;
  expect(created.data).toMatchObject({ first_name: 'Jane', last_name: 'Doe', is_deleted: false });

  const changed = await persons.updatePerson({
    id,
    UpdatePersonRequest: { phones: [{ value: '+372 5555' }] },
  });
  expect(changed.data?.phones).toEqual([{ value: '+372 5555', primary: true, label: 'work' }]);
  expect((await persons.getPerson({ id })).data?.emails?.[0]?.value).toBe('jane@example.com');

  const listed = await persons.getPersons({ ids: String(id), limit: 500, sort_by: 'update_time' });
  expect(listed.data?.map((person) => person.id)).toEqual([id]);
  expect((await persons.deletePerson({ id })).data).toEqual({ id });
  expect((await persons.getPersons({ ids: String(id) })).data).toEqual([]);
});

test('organizations: create, get, list, update, delete', async () => {
  const organizations = new v2.OrganizationsApi(second);
  const created = await organizations.addOrganization({
    AddOrganizationRequest: {
      name: 'Acme',
      address: { value: 'Main St 1' },
      website: 'acme.example',
    },
  });
  const id = created.data?.id ?? 0;
  const changed = await organizations.updateOrganization({
    id,
    UpdateOrganizationRequest: { employee_count: 7 },
  });
  expect(changed.data).toMatchObject({ employee_count: 7, website: 'acme.example' });
  expect((await organizations.getOrganization({ id })).data?.address).toMatchObject({
    value: 'Main St 1',
    country: null,
  });
  expect((await organizations.getOrganizations({ limit: 1 })).data).toHaveLength(1);
  expect((await organizations.deleteOrganization({ id })).data).toEqual({ id });
});

test('fields and options: create, list, rename, delete', async () => {
  const fields = new v2.PersonFieldsApi(second);
  const created = await fields.addPersonField({
    AddPersonFieldRequest: { field_name: 'Tier', field_type: 'enum', options: [{ label: 'Gold' }] },
  });
  const field_code = created.data?.field_code ?? '';
  expect(field_code).toMatch(/^[0-9a-f]{40}$/);

  const added = await fields.addPersonFieldOptions({
    field_code,
    AddDealFieldOptionsRequestInner: [{ label: 'Silver' }],
  });
  const id = added.data?.[0]?.id ?? 0;
  await fields.updatePersonFieldOptions({
    field_code,
    UpdateDealFieldOptionsRequestInner: [{ id, label: 'Bronze' }],
  });
  await fields.updatePersonField({ field_code, UpdatePersonFieldRequest: { field_name: 'Class' } });
  const got = await fields.getPersonField({ field_code });
  expect(got.data?.field_name).toBe('Class');
  expect(got.data?.options?.map((option) => option.label)).toEqual(['Gold', 'Bronze']);

  await fields.deletePersonFieldOptions({
    field_code,
    DeleteDealFieldOptionsRequestInner: [{ id }],
  });
  expect((await fields.getPersonField({ field_code })).data?.options).toHaveLength(1);
  await fields.deletePersonField({ field_code });
  const left = await fields.getPersonFields({ limit: 500 });
  expect(left.data?.some((item) => item.field_code === field_code)).toBe(false);
  expect((await new v2.OrganizationFieldsApi(second).getOrganizationFields()).success).toBe(true);
  expect((await new v2.DealFieldsApi(second).getDealFields()).success).toBe(true);
});

test('leads, lead labels and lead fields', async () => {
  const organization = await new v2.OrganizationsApi(second).addOrganization({
    AddOrganizationRequest: { name: 'Lead Ltd' },
  });
  const organization_id = organization.data?.id ?? 0;
  const labels = new v1.LeadLabelsApi(first);
  const label = await labels.addLeadLabel({ AddLeadLabelRequest: { name: 'New', color: 'green' } });
  const labelId = label.data?.id ?? '';

  const leads = new v1.LeadsApi(first);
  const created = await leads.addLead({
    AddLeadRequest: { title: 'A lead', organization_id, label_ids: [labelId] },
  });
  const id = created.data?.id ?? '';
  expect(created.data).toMatchObject({ source_name: 'API', origin: 'API', label_ids: [labelId] });
  const changed = await leads.updateLead({ id, UpdateLeadRequest: { title: 'Renamed' } });
  expect(changed.data?.title).toBe('Renamed');
  expect((await leads.getLead({ id })).data?.organization_id).toBe(organization_id);
  expect((await leads.getLeads({ organization_id })).data).toHaveLength(1);
  expect((await leads.deleteLead({ id })).data?.id).toBe(id);
  await expect(leads.getLead({ id })).rejects.toMatchObject({ error: 'requested lead not found' });

  await labels.updateLeadLabel({ id: labelId, UpdateLeadLabelRequest: { color: 'red' } });
  await labels.deleteLeadLabel({ id: labelId });
  expect((await labels.getLeadLabels()).data?.map(({ name }) => name)).toEqual([
    'Hot',
    'Warm',
    'Cold',
  ]);
  const fields = await new v1.LeadFieldsApi(first).getLeadFields();
  expect(fields.data?.map((field) => field.key)).toContain('title');
});

test('users', async () => {
  const users = new v1.UsersApi(first);
  const me = await users.getCurrentUser();
  expect(me.data).toMatchObject({
    is_you: true,
    company_name: 'Sandbox Inc',
    company_domain: 'sandbox',
  });
  expect((await users.getUsers()).data).toHaveLength(3);
  expect((await users.getUser({ id: me.data?.id ?? 0 })).data?.name).toBe(me.data?.name);
});

test('search finds a person by e-mail and by field once the index has caught up', async () => {
  const persons = new v2.PersonsApi(second);
  await persons.addPerson({
    AddPersonRequest: { name: 'Findable One', emails: [{ value: 'Find@Example.com' }] },
  });
  const search = { term: 'find@example.com', fields: 'email' as const, exact_match: true };
  await eventually(async () => {
    const found = await persons.searchPersons(search);
    expect(found.data?.items?.[0]?.item?.emails).toEqual(['Find@Example.com']);
  });
  const byField = await new v2.ItemSearchApi(second).searchItemByField({
    term: 'Findable One',
    entity_type: 'person',
    field: 'name',
  });
  expect(byField.data).toHaveLength(1);
});

test('webhooks: create, receive, list, delete', async () => {
  const webhooks = new v1.WebhooksApi(first);
  const created = await webhooks.addWebhook({
    AddWebhookRequest: {
      subscription_url: `${receiver.url}/hook`,
      event_action: 'create',
      event_object: 'organization',
      name: 'Official',
    },
  });
  const id = created.data?.id ?? 0;
  await new v2.OrganizationsApi(second).addOrganization({
    AddOrganizationRequest: { name: 'Hooked' },
  });
  await eventually(() => expect(receiver.received[0]?.body.data.name).toBe('Hooked'));
  await eventually(async () => {
    expect((await webhooks.getWebhooks()).data?.[0]?.last_http_status).toBe(200);
  });
  await webhooks.deleteWebhook({ id });
  expect((await webhooks.getWebhooks()).data).toEqual([]);
});

test('OAuth: authorize, consent, code, token, call, refresh, revoke', async () => {
  await admin('POST', '/control/apps', APP);
  const oauth = new v2.OAuth2Configuration({
    clientId: APP.clientId,
    clientSecret: APP.clientSecret,
    redirectUri: APP.redirectUris[0] ?? '',
    host: sandbox.url,
  });
  const pageAnswer = await fetch(oauth.authorizationUrl);
  expect(await pageAnswer.text()).toContain('Allow and install');

  const me = await new v1.UsersApi(first).getCurrentUser();
  const callback = await consent(createCaller(sandbox.url, {}), { userId: me.data?.id ?? 0 });
  expect(callback.searchParams.get('state')).toBe('state-1');
  const token = await oauth.authorize(callback.searchParams.get('code') ?? '');
  expect(token).toMatchObject({ token_type: 'Bearer', api_domain: sandbox.url });

  const basePath = oauth.basePath;
  const persons = new v2.PersonsApi(
    new v2.Configuration({ accessToken: () => oauth.getAccessToken(), basePath }),
  );
  expect((await persons.getPersons()).success).toBe(true);
  const refreshed = await oauth.tokenRefresh();
  expect(refreshed.refresh_token).toBe(token.refresh_token);
  expect(refreshed.access_token).not.toBe(token.access_token);

  await oauth.revokeToken('access_token');
  await expect(persons.getPersons()).rejects.toMatchObject({ success: false });
  await oauth.tokenRefresh();
  expect((await persons.getPersons()).success).toBe(true);
  await oauth.revokeToken('refresh_token');
  await expect(oauth.tokenRefresh()).rejects.toMatchObject({ error: 'invalid_grant' });
});
