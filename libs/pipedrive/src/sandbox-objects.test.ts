import type { FieldValue } from '@manifold/contracts';
import { type Sandbox, startSandbox } from '@manifold/pipedrive-sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createPipedriveClient,
  type Outcome,
  type PipedriveClient,
  type RecordObject,
  toRequestBody,
} from './index.ts';

let sandbox: Sandbox;
let client: PipedriveClient;
let ids: Record<'person' | 'organization' | 'deal', number>;

beforeAll(async () => {
  sandbox = await startSandbox({ seed: 7, searchLagMs: 0 });
  client = createPipedriveClient({
    apiDomain: sandbox.url,
    allowedApiDomains: [sandbox.url],
    authorization: async () => ({ kind: 'apiToken', token: sandbox.apiToken }),
    timeoutMs: 2_000,
  });
  ids = {
    person: Number((await create('person', { name: 'Ada' })).id),
    organization: Number((await create('organization', { name: 'Initech' })).id),
    deal: Number((await create('deal', { title: 'First deal' })).id),
  };
});
afterAll(() => sandbox.stop());

function ok<Data>(outcome: Outcome<Data>): Data {
  expect(outcome).toMatchObject({ outcome: 'ok' });
  if (outcome.outcome !== 'ok') throw new Error(outcome.outcome);
  return outcome.data;
}

const create = async (object: RecordObject, fields: Record<string, FieldValue>) =>
  ok(await client.createRecord(object, { body: toRequestBody(object, fields) }));
const change = async (object: RecordObject, id: string, fields: Record<string, FieldValue>) =>
  ok(await client.updateRecord(object, id, { body: toRequestBody(object, fields) }));

describe('what is written to a local Pipedrive is read back the same', () => {
  it('a deal, with its money and its stage', async () => {
    const [stage] = ok(await client.listStages());
    const fields = {
      title: 'Big deal',
      value: { value: 1200, currency: 'EUR' },
      person_id: ids.person,
      stage_id: Number(stage?.id),
      expected_close_date: '2026-12-31',
    };
    const deal = await create('deal', fields);
    expect(ok(await client.getRecord('deal', deal.id)).fields).toMatchObject(fields);
    const won = await change('deal', deal.id, { status: 'won' });
    expect(won.fields).toMatchObject({ status: 'won', won_time: expect.any(String) });
  });

  it('an activity, with its person and its times', async () => {
    const fields = {
      subject: 'Call',
      type: 'call',
      person_id: ids.person,
      deal_id: ids.deal,
      due_date: '2026-05-01',
      due_time: '15:00:00',
      duration: '00:30:00',
    };
    const activity = await create('activity', fields);
    expect(ok(await client.getRecord('activity', activity.id)).fields).toMatchObject(fields);
    const done = await change('activity', activity.id, { done: true });
    expect(done.fields).toMatchObject({ done: true });
    const of = { object: 'person', id: String(ids.person) } as const;
    expect(ok(await client.listRecords('activity', { of })).map(({ id }) => id)).toEqual([
      activity.id,
    ]);
  });

  it('a note, found by what it is about', async () => {
    const fields = { content: 'Likes tea', person_id: ids.person, pinned_to_person_flag: true };
    const note = await create('note', fields);
    expect(ok(await client.getRecord('note', note.id)).fields).toMatchObject(fields);
    const of = { object: 'person', id: String(ids.person) } as const;
    expect(ok(await client.listRecords('note', { of })).map(({ id }) => id)).toEqual([note.id]);
    const changed = await change('note', note.id, { content: 'Likes coffee' });
    expect(changed.fields.content).toBe('Likes coffee');
  });

  it('a product, with its price', async () => {
    const fields = { name: 'Pencil', code: 'P-1', prices: { value: 5, currency: 'EUR' } };
    const product = await create('product', fields);
    expect(ok(await client.getRecord('product', product.id)).fields).toMatchObject(fields);
    expect(ok(await client.searchProductsByCode('P-1'))).toMatchObject([{ id: product.id }]);
  });
});

describe('what else a local Pipedrive knows', () => {
  it.each(['person', 'organization', 'deal'] as const)(
    'two %ss become one: the survivor stays, the loser is gone',
    async (object) => {
      const title = object === 'deal' ? 'title' : 'name';
      const loser = await create(object, { [title]: 'Loser' });
      const survivor = await create(object, { [title]: 'Survivor' });
      const merged = await client.mergeRecords(object, {
        loserId: loser.id,
        survivorId: survivor.id,
      });
      expect(ok(merged)).toEqual({ id: survivor.id });
      expect(ok(await client.getRecord(object, survivor.id)).fields[title]).toBe('Survivor');
      const gone = await client.getRecord(object, loser.id);
      expect(gone.outcome === 'ok' ? gone.data.deleted : gone).toEqual(
        gone.outcome === 'ok' ? true : expect.objectContaining({ status: 404 }),
      );
    },
  );

  it('the history of a person', async () => {
    await change('person', String(ids.person), { name: 'Ada Lovelace' });
    const changes = ok(await client.listChanges('person', String(ids.person)));
    expect(changes).toContainEqual(
      expect.objectContaining({ fieldCode: 'name', before: 'Ada', after: 'Ada Lovelace' }),
    );
  });

  it('deals by title and person, persons by phone', async () => {
    await create('deal', { title: 'Spring', person_id: ids.person });
    const near = { personId: String(ids.person) };
    expect(ok(await client.searchDealsByTitle('spring', near))).toHaveLength(1);
    const phones = [{ value: '+372 555 0101', label: 'work', primary: true }];
    const { id } = await create('person', { name: 'Grace', phones });
    expect(ok(await client.searchPersonsByPhone('+372 555 0101'))).toMatchObject([{ id }]);
  });

  it('pipelines, stages and activity types', async () => {
    const [pipeline] = ok(await client.listPipelines());
    const stages = ok(await client.listStages(pipeline?.id));
    expect(new Set(stages.map(({ pipelineId }) => pipelineId))).toEqual(new Set([pipeline?.id]));
    expect(ok(await client.listActivityTypes()).map(({ key }) => key)).toContain('call');
  });

  it('one field, its name and its choices', async () => {
    const wanted = { name: 'Tier', type: 'enum', options: ['Gold'] } as const;
    const { code } = ok(await client.createField('deal', wanted));
    ok(await client.renameField('deal', code, 'Level'));
    const [silver] = ok(await client.addFieldOptions('deal', code, ['Silver']));
    ok(await client.renameFieldOptions('deal', code, [{ id: silver?.id ?? 0, label: 'Bronze' }]));
    const field = ok(await client.getField('lead', code));
    expect(field).toMatchObject({ name: 'Level', custom: true });
    expect(field.options?.map(({ label }) => label)).toEqual(['Gold', 'Bronze']);
    ok(await client.deleteFieldOptions('deal', code, [silver?.id ?? 0]));
    ok(await client.deleteField('deal', code));
    expect(await client.getField('deal', code)).toMatchObject({ outcome: 'refused', status: 404 });
  });

  it('one record with only the fields somebody looks at', async () => {
    const { code } = ok(await client.createField('person', { name: 'Pet', type: 'varchar' }));
    const id = String(ids.person);
    const all = ok(await client.getRecord('person', id));
    expect(Object.keys(all.fields)).toContain(code);
    const other = 'a'.repeat(40);
    const some = await client.getRecord('person', id, { customFields: [code] });
    expect(Object.keys(ok(some).fields)).toContain(code);
    expect(Object.keys(ok(some).fields)).not.toContain(other);
  });

  it('archived deals, in a list of their own', async () => {
    const { id } = await create('deal', { title: 'Old' });
    await change('deal', id, { is_archived: true });
    const archived = ok(await client.listRecords('deal', { archived: true }));
    expect(archived.map((deal) => deal.id)).toContain(id);
    expect(ok(await client.listRecords('deal')).map((deal) => deal.id)).not.toContain(id);
  });
});
