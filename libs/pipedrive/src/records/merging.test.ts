import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ListByIdsOptions, operations, type PipedriveClient } from '../index.ts';
import {
  type AnsweringServer,
  clientOf,
  saying,
  startAnsweringServer,
} from '../testing/answering-server.ts';

let server: AnsweringServer;
let client: PipedriveClient;
beforeAll(async () => {
  server = await startAnsweringServer();
  client = clientOf(server.url);
});
afterAll(() => server.stop());
beforeEach(() => {
  server.requests.length = 0;
});

const asked = () => {
  const [request] = server.requests;
  const url = new URL(request?.url ?? '', server.url);
  return {
    request: `${request?.method} ${url.pathname}`,
    query: Object.fromEntries(url.searchParams),
    body: request?.body ? JSON.parse(request.body) : undefined,
  };
};
const answering = (data: unknown, more: object = {}) =>
  server.answer(saying(200, { success: true, data, ...more }));

describe('a merge', () => {
  it.each([
    ['person', '/api/v1/persons/7/merge', { id: 9, name: 'Ada', active_flag: true }],
    ['organization', '/api/v1/organizations/7/merge', { id: 9 }],
    ['deal', '/api/v1/deals/7/merge', { id: 9, title: 'Deal' }],
  ] as const)('of a %s names the loser in the address', async (object, path, answer) => {
    answering(answer);
    const merged = await client.mergeRecords(object, { loserId: '7', survivorId: '9' });
    expect(merged).toEqual({ outcome: 'ok', data: { id: '9' } });
    expect(asked()).toMatchObject({ request: `PUT ${path}`, body: { merge_with_id: 9 } });
  });

  it('costs 40 tokens and cannot be of a record with itself', () => {
    expect(operations.mergePersons.priceTokens).toBe(40);
    expect(() => client.mergeRecords('deal', { loserId: '7', survivorId: '7' })).toThrow(
      RangeError,
    );
  });
});

describe('what else is asked of Pipedrive', () => {
  it('the history of a record, in today’s codes', async () => {
    answering(
      [
        {
          field_key: 'email',
          old_value: null,
          new_value: 'a@x.test',
          actor_user_id: 26,
          time: '2024-02-12 09:14:35',
          change_source: 'app',
          is_bulk_update_flag: false,
        },
      ],
      { additional_data: { next_cursor: 'abc' } },
    );
    expect(await client.listChanges('person', '3', { limit: 10 })).toEqual({
      outcome: 'ok',
      nextCursor: 'abc',
      data: [
        {
          fieldCode: 'emails',
          before: null,
          after: 'a@x.test',
          userId: '26',
          at: '2024-02-12T09:14:35Z',
          source: 'app',
          bulk: false,
        },
      ],
    });
    expect(asked()).toMatchObject({ request: 'GET /api/v1/persons/3/changelog' });
  });

  it('pipelines and stages, without those that are deleted', async () => {
    const stage = { id: 4, order_nr: 1, name: 'New', pipeline_id: 2, deal_probability: 50 };
    answering([stage, { ...stage, id: 5, is_deleted: true }]);
    expect(await client.listStages('2')).toMatchObject({
      data: [{ id: '4', name: 'New', pipelineId: '2', probability: 50, order: 1 }],
    });
    expect(asked()).toMatchObject({ request: 'GET /api/v2/stages', query: { pipeline_id: '2' } });
  });

  it('a conversion of a lead, and where it stands', async () => {
    answering({ conversion_id: 'c-1' });
    const leadId = 'adf21080-0e10-11eb-879b-05d71fb426ec';
    expect(await client.convertLead(leadId, { stageId: '4' })).toMatchObject({
      data: { conversionId: 'c-1' },
    });
    expect(asked()).toMatchObject({ body: { stage_id: 4 } });
    answering({ conversion_id: 'c-1', status: 'completed', deal_id: 33 });
    expect(await client.getConversion(leadId, 'c-1')).toMatchObject({
      data: { status: 'completed', dealId: '33' },
    });
  });

  it('the notes of a person, the archived deals of an organization', async () => {
    answering([]);
    await client.listRecords('note', { of: { object: 'person', id: '8' } });
    expect(asked()).toMatchObject({ request: 'GET /api/v1/notes', query: { person_id: '8' } });
    server.requests.length = 0;
    await client.listRecords('deal', { of: { object: 'organization', id: '8' }, archived: true });
    expect(asked()).toMatchObject({
      request: 'GET /api/v2/deals/archived',
      query: { org_id: '8' },
    });
  });

  it('nothing Pipedrive would refuse or misread', () => {
    const around = { of: { object: 'person', id: '8' } } as const;
    expect(() => client.listRecords('product', around)).toThrow(RangeError);
    expect(() => client.listRecords('person', { archived: true })).toThrow(RangeError);
    // a list of leads that takes no ids would be a list of all leads
    const options: ListByIdsOptions = { ids: ['1'] };
    expect(() => client.listRecords('lead', options)).toThrow(RangeError);
  });

  it('options as a list, renamed and removed by id', async () => {
    const code = 'a'.repeat(40);
    answering([{ id: 3, label: 'Referral' }]);
    expect(await client.addFieldOptions('deal', code, ['Referral'])).toMatchObject({
      data: [{ id: 3, label: 'Referral' }],
    });
    expect(asked()).toMatchObject({
      request: `POST /api/v2/dealFields/${code}/options`,
      body: [{ label: 'Referral' }],
    });
    server.requests.length = 0;
    await client.deleteFieldOptions('lead', code, [3]);
    expect(asked()).toMatchObject({
      request: `DELETE /api/v2/dealFields/${code}/options`,
      body: [{ id: 3 }],
    });
  });
});

describe('a search', () => {
  const hits = (...items: object[]) => ({ items: items.map((item) => ({ item })) });

  it('by phone compares digits, by title the whole title', async () => {
    answering(hits({ id: 1, phones: ['+372 555 0101'] }, { id: 2, phones: ['+372 5550'] }));
    expect(await client.searchPersonsByPhone('+372-555-0101')).toMatchObject({
      data: [{ id: '1' }],
    });
    answering(hits({ id: 'u', title: 'spring ' }, { id: 'v', title: 'Springfield' }));
    server.requests.length = 0;
    expect(await client.searchLeadsByTitle('Spring', { personId: '4' })).toEqual({
      outcome: 'ok',
      data: [{ id: 'u', name: 'spring ' }],
    });
    expect(asked().query).toMatchObject({ fields: 'title', person_id: '4', exact_match: 'true' });
  });

  it('of products by code takes a code that is a number for text', async () => {
    answering(hits({ id: 1, name: 'Pencil', code: 123 }));
    expect(await client.searchProductsByCode('123')).toMatchObject({ data: [{ name: 'Pencil' }] });
  });
});
