import type { FieldValue, PipedriveRecord } from '@manifold/contracts';
import { type Sandbox, startSandbox } from '@manifold/pipedrive-sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  type CallReport,
  type CreatableType,
  createPipedriveClient,
  exchangeCode,
  normaliseWebhook,
  type Outcome,
  type PipedriveClient,
  refreshGrant,
  revokeGrant,
  toRequestBody,
} from './index.ts';
import { type AnsweringServer, startAnsweringServer } from './testing/answering-server.ts';

let sandbox: Sandbox;
let receiver: AnsweringServer;
let client: PipedriveClient;
const reports: CallReport[] = [];

const clientFor = (kind: 'apiToken' | 'bearer', token: string): PipedriveClient =>
  createPipedriveClient({
    apiDomain: sandbox.url,
    allowedApiDomains: [sandbox.url],
    authorization: async () => ({ kind, token }),
    timeoutMs: 2_000,
    onCall: (report) => reports.push(report),
  });

beforeAll(async () => {
  sandbox = await startSandbox({ seed: 7, searchLagMs: 0 });
  receiver = await startAnsweringServer();
  client = clientFor('apiToken', sandbox.apiToken);
});
afterAll(async () => {
  await receiver.stop();
  await sandbox.stop();
});

async function control<Answer = unknown>(
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const answer = await fetch(`${sandbox.controlUrl}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  // a test knows what it asked for
  return (await answer.json()) as Answer;
}

function ok<Data>(outcome: Outcome<Data>): Data {
  expect(outcome).toMatchObject({ outcome: 'ok' });
  if (outcome.outcome !== 'ok') throw new Error(outcome.outcome);
  return outcome.data;
}

const samples: [CreatableType, FieldValue][] = [
  ['varchar', 'Zoë 👩‍🚀'],
  ['text', 'two\nlines'],
  ['double', 12.5],
  ['monetary', { value: 500, currency: 'EUR' }],
  ['date', '2026-02-28'],
  ['daterange', { value: '2026-01-01', until: '2026-12-31' }],
  ['time', { value: '09:30:00', timezoneId: null, timezoneName: 'Europe/Tallinn' }],
  ['timerange', { value: '09:00:00', until: '17:00:00', timezoneId: null }],
  ['phone', '+372 555 0101'],
];

describe('records in a local Pipedrive', () => {
  it('every page of every object is read, and every custom value fits its catalogue', async () => {
    await control('POST', '/generate', { seed: 3, persons: 230, organizations: 20, leads: 12 });
    for (const [object, count] of [
      ['person', 230],
      ['organization', 20],
      ['lead', 12],
    ] as const) {
      const definitions =
        object === 'lead'
          ? ok(await client.listFields('deal'))
          : ok(await client.listFields(object));
      const seen = new Set<string>();
      let cursor: string | undefined;
      do {
        const listed = await client.listRecords(object, { limit: 100, cursor, definitions });
        for (const record of ok(listed)) seen.add(record.id);
        cursor = listed.outcome === 'ok' ? listed.nextCursor : undefined;
      } while (cursor !== undefined);
      expect(seen.size).toBe(count);
    }
  });

  it.each(samples)('a %s written is the one read, by REST and by webhook', async (type, value) => {
    const field = ok(await client.createField('person', { name: `Sample ${type}`, type }));
    const subscription = {
      name: type,
      action: '*',
      object: 'person',
      user: 'u',
      password: 'p',
    } as const;
    const webhook = ok(
      await client.createWebhook({ ...subscription, url: `${receiver.url}/${type}` }),
    );
    const body = toRequestBody('person', { name: `Person ${type}`, [field.code]: value });
    const created = ok(await client.createRecord('person', { body }));
    expect(created.fields[field.code]).toEqual(asRead(value));
    const record = await hookedRecord(`/${type}`);
    expect(created).toMatchObject({ ...record });
    expect(record?.fields[field.code]).toEqual(created.fields[field.code]);
    ok(await client.deleteWebhook(webhook.id));
  });

  it('options are written by id; a lead takes the custom fields of deals and a label', async () => {
    const tier = ok(
      await client.createField('lead', { name: 'Tier', type: 'enum', options: ['Hot', 'Cold'] }),
    );
    const tags = ok(
      await client.createField('lead', { name: 'Tags', type: 'set', options: ['A', 'B'] }),
    );
    const budget = ok(await client.createField('lead', { name: 'Budget', type: 'monetary' }));
    const labels = ok(await client.listLeadLabels());
    const ada = ok(await client.createRecord('person', { body: { name: 'Ada' } }));
    const fields: Record<string, FieldValue> = {
      title: 'Spring',
      person_id: Number(ada.id),
      label_ids: labels.slice(0, 1).map(({ id }) => String(id)),
      value: { value: 100, currency: 'EUR' },
      [tier.code]: Number(tier.options?.[1]?.id),
      [tags.code]: tags.options?.map(({ id }) => Number(id)) ?? [],
      [budget.code]: { value: 5, currency: 'USD' },
    };
    const definitions = [tier, tags, budget];
    const lead = ok(
      await client.createRecord('lead', { body: toRequestBody('lead', fields), definitions }),
    );
    expect(lead.fields).toMatchObject(fields);
    const cleared = toRequestBody('lead', { [tier.code]: null, [tags.code]: null });
    const after = ok(await client.updateRecord('lead', lead.id, { body: cleared, definitions }));
    expect(after.fields).toMatchObject({ [tier.code]: null, [tags.code]: null, title: 'Spring' });
  });

  it('a field Pipedrive does not know is refused by name', async () => {
    const shoe = 'f'.repeat(40);
    const refused = await client.createRecord('person', {
      body: toRequestBody('person', { name: 'X', [shoe]: 'size 42' }),
    });
    expect(refused).toMatchObject({ outcome: 'refused', status: 400 });
    expect(JSON.stringify(refused)).not.toContain('size 42');
  });

  it('a person is found by e-mail, changed, deleted, and then gone', async () => {
    const emails = [{ value: 'Grace@x.test', label: 'work', primary: true }];
    const grace = ok(
      await client.createRecord('person', {
        body: toRequestBody('person', { name: 'Grace', emails }),
      }),
    );
    expect(ok(await client.searchPersonsByEmail('grace@X.test')).map(({ id }) => id)).toEqual([
      grace.id,
    ]);
    const renamed = ok(
      await client.updateRecord('person', grace.id, { body: { name: 'Grace Hopper' } }),
    );
    expect(renamed.fields).toMatchObject({ first_name: 'Grace', last_name: 'Hopper', emails });
    expect(ok(await client.listRecords('person', { ids: [grace.id, '999999'] }))).toHaveLength(1);
    expect(ok(await client.deleteRecord('person', grace.id))).toEqual({ id: grace.id });
    const gone = await client.getRecord('person', grace.id);
    expect(gone.outcome === 'ok' ? gone.data.deleted : gone).toSatisfy(
      (said) => said === true || said.status === 404,
    );
  });

  it('the caller and the users are known', async () => {
    const me = ok(await client.getMe());
    expect(me).toMatchObject({ companyDomain: 'sandbox', admin: true, active: true });
    expect(ok(await client.listUsers()).map(({ id }) => id)).toContain(me.id);
  });

  it('every call is priced as Pipedrive prices it', async () => {
    const ledger = await control<{ tokens: number }>('GET', '/ledger');
    const spent = reports.reduce((sum, report) => sum + report.priceTokens, 0);
    expect(ledger.tokens).toBe(spent);
  });
});

describe('a local Pipedrive that fails', () => {
  const create = () => client.createRecord('organization', { body: { name: 'Initech' } });
  const fault = (kind: string) =>
    control('POST', '/faults', {
      match: { method: 'POST', path: '/api/v2/organizations' },
      kind,
      times: 1,
    });

  it.each(['cut-before', 'cut-after', '500'])('%s leaves a create unknown', async (kind) => {
    await fault(kind);
    expect(await create()).toMatchObject({ outcome: 'unknown' });
  });

  it('429 leaves it undone', async () => {
    await fault('429');
    expect(await create()).toMatchObject({ outcome: 'limited' });
  });

  it('a wrong token is unauthorised', async () => {
    expect(await clientFor('apiToken', 'wrong').getMe()).toEqual({ outcome: 'unauthorized' });
  });
});

describe('OAuth with a local Pipedrive', () => {
  const redirectUri = 'http://127.0.0.1:9/callback';
  const app = () => ({ clientId: 'app', clientSecret: 'secret', oauthUrl: sandbox.url });

  it('consent, exchange, call, refresh, scope, revoke', async () => {
    await control('POST', '/apps', {
      ...app(),
      name: 'App',
      redirectUris: [redirectUri],
      scopes: ['base', 'contacts:read'],
    });
    const code = await consent(authorizeUrl({ ...app(), redirectUri, state: 's' }));
    const granted = await exchangeCode(app(), { code, redirectUri });
    expect(granted).toMatchObject({ outcome: 'ok', grant: { apiDomain: sandbox.url } });
    if (granted.outcome !== 'ok') return;
    expect(await exchangeCode(app(), { code, redirectUri })).toEqual({ outcome: 'invalid_grant' });
    const own = clientFor('bearer', granted.grant.accessToken);
    expect(await own.getMe()).toMatchObject({ outcome: 'ok' });
    expect(await own.createRecord('person', { body: { name: 'X' } })).toEqual({
      outcome: 'scope_missing',
    });
    const { refreshToken } = granted.grant;
    expect(await refreshGrant(app(), { refreshToken })).toMatchObject({ outcome: 'ok' });
    expect(await refreshGrant({ ...app(), clientSecret: 'wrong' }, { refreshToken })).toEqual({
      outcome: 'invalid_client',
    });
    expect(await revokeGrant(app(), { token: refreshToken, hint: 'refresh_token' })).toEqual({
      outcome: 'ok',
    });
    expect(await refreshGrant(app(), { refreshToken })).toEqual({ outcome: 'invalid_grant' });
    expect(await own.getMe()).toEqual({ outcome: 'unauthorized' });
  });
});

async function consent(url: string): Promise<string> {
  const { users } = await control<{ users: { id: number }[] }>('GET', '/state');
  const form = new URLSearchParams(new URL(url).search);
  form.set('user_id', String(users[0]?.id));
  form.set('decision', 'allow');
  const answer = await fetch(`${sandbox.url}/oauth/authorize`, {
    method: 'POST',
    body: form,
    redirect: 'manual',
  });
  return new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';
}

/** Pipedrive puts its own number for the time zone in. */
function asRead(value: FieldValue): unknown {
  if (value === null || typeof value !== 'object' || !('timezoneId' in value)) return value;
  const { timezoneName: _, ...rest } = value;
  return { ...rest, timezoneId: expect.any(Number) };
}

/** The record in the first webhook that arrives at a path. */
async function hookedRecord(path: string): Promise<PipedriveRecord | undefined> {
  const find = () => receiver.requests.find(({ url }) => url === path);
  await expect.poll(find).toBeDefined();
  const reading = normaliseWebhook(JSON.parse(find()?.body ?? 'null'));
  return reading.outcome === 'understood' ? reading.event.record : undefined;
}
