import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClock, startTestSandbox, type TestSandbox } from '../testing/sandbox.ts';

const clock = createClock();
let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await startTestSandbox({ now: clock.now });
});
afterAll(() => sandbox.stop());

test('a body with unknown keys, text for numbers and a bare e-mail is refused as a whole, naming each', async () => {
  const body = { name: 'X', nick: 'Y', owner_id: '3', emails: 'x@example.com' };
  const { status, body: answer } = await sandbox.call('POST', '/api/v2/persons', body);
  expect(status).toBe(400);
  expect(answer).toMatchObject({ success: false, code: 'ERR_SCHEMA_VALIDATION_FAILED' });
  expect(answer.error).toContain("nick: Parameter 'nick' is not allowed for this request");
  expect(answer.error).toContain('owner_id: Expected number, received string');
  expect(answer.error).toContain('emails: Expected array');
});

test.each([
  ['an unknown parameter', 'type=person'],
  ['a time with milliseconds', 'updated_since=2026-01-01T00:00:00.123Z'],
  ['a limit above 500', 'limit=501'],
  ['a sort field that does not exist', 'sort_by=name'],
  ['more than 100 ids', `ids=${Array.from({ length: 101 }, (_, at) => at + 1).join(',')}`],
  ['more than 15 custom fields', `custom_fields=${'a,'.repeat(15)}a`],
  ['a boolean that is not one', 'include_labels=1'],
  ['a foreign cursor', 'cursor=abc'],
])('a list refuses %s', async (_, query) => {
  const { status, body } = await sandbox.call('GET', `/api/v2/persons?${query}`);
  expect([status, body.code]).toEqual([400, 'ERR_SCHEMA_VALIDATION_FAILED']);
});

test('a person needs a name, or a first and a last one; writing one rewrites the other', async () => {
  expect((await sandbox.call('POST', '/api/v2/persons', { emails: [] })).status).toBe(400);
  const parts = { first_name: 'Ada', last_name: 'King' };
  const created = (await sandbox.call('POST', '/api/v2/persons', parts)).body.data;
  expect(created.name).toBe('Ada King');
  const path = `/api/v2/persons/${created.id}`;
  const changed = (await sandbox.call('PATCH', path, { name: 'Grace Brewster Hopper' })).body.data;
  expect(changed).toMatchObject({ first_name: 'Grace', last_name: 'Brewster Hopper' });
});

test('PATCH replaces the whole list of e-mails, and the first becomes primary when none is', async () => {
  const emails = [{ value: 'a@example.com' }, { value: 'b@example.com', label: 'home' }];
  const { id, ...person } = (await sandbox.call('POST', '/api/v2/persons', { name: 'E', emails }))
    .body.data;
  expect(person.emails).toEqual([
    { value: 'a@example.com', primary: true, label: 'work' },
    { value: 'b@example.com', primary: false, label: 'home' },
  ]);
  const patch = { emails: [{ value: 'c@example.com' }] };
  const changed = (await sandbox.call('PATCH', `/api/v2/persons/${id}`, patch)).body.data;
  expect(changed.emails).toEqual([{ value: 'c@example.com', primary: true, label: 'work' }]);
});

test('parts of an address that are left out become null', async () => {
  const address = { value: 'Main St 1', country: 'Estonia', locality: 'Tallinn' };
  const body = { name: 'Addressed', address };
  const { id } = (await sandbox.call('POST', '/api/v2/organizations', body)).body.data;
  const patch = { address: { value: 'Main St 2' } };
  const changed = (await sandbox.call('PATCH', `/api/v2/organizations/${id}`, patch)).body.data;
  expect(changed.address).toMatchObject({ value: 'Main St 2', country: null, locality: null });
});

test('add_time can be set on create and not on change', async () => {
  const body = { name: 'Old', add_time: '2020-02-03T04:05:06Z' };
  const created = (await sandbox.call('POST', '/api/v2/organizations', body)).body.data;
  expect(created.add_time).toBe('2020-02-03T04:05:06Z');
  const path = `/api/v2/organizations/${created.id}`;
  expect((await sandbox.call('PATCH', path, { add_time: '2021-01-01T00:00:00Z' })).status).toBe(
    400,
  );
});

test('contact sync fields are refused with 403, because the account has no contact sync', async () => {
  const body = { name: 'S', job_title: 'Boss' };
  expect((await sandbox.call('POST', '/api/v2/persons', body)).status).toBe(403);
});

test('a deleted record leaves lists and ids=, its own address still shows it, and it cannot change', async () => {
  const { id } = (await sandbox.call('POST', '/api/v2/persons', { name: 'Gone' })).body.data;
  clock.pass(5_000);
  const deleted = await sandbox.call('DELETE', `/api/v2/persons/${id}`);
  expect(deleted.body).toEqual({ success: true, data: { id } });
  expect((await sandbox.call('GET', `/api/v2/persons?ids=${id}`)).body.data).toEqual([]);
  const { body } = await sandbox.call('GET', `/api/v2/persons/${id}`);
  expect(body.data).toMatchObject({
    is_deleted: true,
    update_time: clock.now().toISOString().replace('.000', ''),
  });
  expect((await sandbox.call('PATCH', `/api/v2/persons/${id}`, { name: 'Back' })).status).toBe(404);
  expect((await sandbox.call('GET', '/api/v2/persons/999999')).body.error).toBe(
    'Entity was not found',
  );
});

test('updated_since is inclusive, updated_until exclusive, and a change without effect moves neither', async () => {
  clock.pass(60_000);
  const time = clock.now().toISOString().replace('.000', '');
  const { id } = (await sandbox.call('POST', '/api/v2/organizations', { name: 'T' })).body.data;
  clock.pass(60_000);
  await sandbox.call('PATCH', `/api/v2/organizations/${id}`, { name: 'T' });
  const ids = async (query: string) =>
    (await sandbox.call('GET', `/api/v2/organizations?${query}`)).body.data.map(
      (item: { id: number }) => item.id,
    );
  expect(await ids(`updated_since=${time}`)).toEqual([id]);
  expect(await ids(`updated_until=${time}`)).not.toContain(id);
});

test('a walk by cursor sees every record once, in each order', async () => {
  await sandbox.call('POST', '/control/generate', { seed: 5, persons: 230, organizations: 3 });
  for (const order of [
    'sort_by=id',
    'sort_by=update_time&sort_direction=desc',
    'sort_by=add_time',
  ]) {
    const seen: number[] = [];
    let cursor = '';
    do {
      const path = `/api/v2/persons?limit=50&${order}${cursor}`;
      const { body } = await sandbox.call('GET', path);
      seen.push(...body.data.map((item: { id: number }) => item.id));
      const next = body.additional_data.next_cursor;
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor !== '');
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe((await sandbox.call('GET', '/control/state')).body.counts.persons);
  }
  expect((await sandbox.call('GET', '/api/v2/persons')).body.data).toHaveLength(100);
});

test('include_fields adds, custom_fields restricts, labels come when asked for', async () => {
  const generated = (await sandbox.call('POST', '/control/generate', { seed: 5 })).body;
  const codes = generated.fields.person;
  const option = async (code: string) =>
    (await sandbox.call('GET', `/api/v2/personFields/${code}`)).body.data.options[0];
  const tier = await option(codes.enum);
  const label = await option('label_ids');
  const { id } = (
    await sandbox.call('POST', '/api/v2/persons', {
      name: 'Labelled',
      label_ids: [label.id],
      custom_fields: { [codes.enum]: tier.id },
    })
  ).body.data;
  const query = `custom_fields=${codes.enum}&include_fields=open_deals_count,marketing_status`;
  const flags = 'include_option_labels=true&include_labels=true';
  const { data } = (await sandbox.call('GET', `/api/v2/persons/${id}?${query}&${flags}`)).body;
  expect(data.custom_fields).toEqual({ [codes.enum]: { id: tier.id, label: tier.label } });
  expect(data).toMatchObject({
    labels: [label],
    open_deals_count: 0,
    marketing_status: 'no_consent',
  });
});

test('a new field shows as null on old records, a deleted one vanishes and is refused', async () => {
  const { id } = (await sandbox.call('POST', '/api/v2/persons', { name: 'Before' })).body.data;
  const definition = { field_name: 'Later', field_type: 'varchar' };
  const { field_code: code } = (await sandbox.call('POST', '/api/v2/personFields', definition)).body
    .data;
  const read = async () => (await sandbox.call('GET', `/api/v2/persons/${id}`)).body.data;
  expect((await read()).custom_fields[code]).toBeNull();
  const patch = { custom_fields: { [code]: 'set' } };
  await sandbox.call('PATCH', `/api/v2/persons/${id}`, patch);
  expect((await read()).custom_fields[code]).toBe('set');
  await sandbox.call('DELETE', `/api/v2/personFields/${code}`);
  expect(code in (await read()).custom_fields).toBe(false);
  const refused = await sandbox.call('PATCH', `/api/v2/persons/${id}`, patch);
  expect(refused.body.error).toContain(`custom_fields.${code}: Parameter '${code}' is not allowed`);
});

test('an unknown owner, organization, label or visibility is refused', async () => {
  const body = { name: 'X', owner_id: 1, org_id: 999_999, label_ids: [999_999], visible_to: 2 };
  const { error } = (await sandbox.call('POST', '/api/v2/persons', body)).body;
  for (const key of ['owner_id', 'org_id', 'label_ids', 'visible_to']) expect(error).toContain(key);
});
