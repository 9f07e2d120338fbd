import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseApiDomain } from '../calling/api-domain.ts';
import { createPipedriveClient } from '../client.ts';
import {
  type AnsweringServer,
  clientOf,
  saying,
  startAnsweringServer,
} from '../testing/answering-server.ts';

let server: AnsweringServer;
beforeAll(async () => {
  server = await startAnsweringServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.requests.length = 0;
});

const asked = () => new URL(server.requests[0]?.url ?? '', server.url);
const page = (more: object) => saying(200, { success: true, data: [], additional_data: more });

describe('a list', () => {
  it('asks v2 for 500 records, whole seconds and at most 15 custom fields', async () => {
    server.answer(page({ next_cursor: 'abc=' }));
    const listed = await clientOf(server.url).listRecords('person', {
      updatedSince: new Date('2026-01-01T10:20:00.987Z'),
      customFields: ['a'.repeat(40), 'b'.repeat(40)],
      sortBy: 'update_time',
    });
    expect(listed).toEqual({ outcome: 'ok', data: [], nextCursor: 'abc=' });
    expect(Object.fromEntries(asked().searchParams)).toEqual({
      limit: '500',
      updated_since: '2026-01-01T10:20:00Z',
      custom_fields: `${'a'.repeat(40)},${'b'.repeat(40)}`,
      sort_by: 'update_time',
    });
  });

  it('of no ids is refused, as Pipedrive would list everything', async () => {
    const listing = async () => clientOf(server.url).listRecords('person', { ids: [] });
    await expect(listing()).rejects.toThrow(RangeError);
    expect(server.requests).toHaveLength(0);
  });

  it('asks for all custom fields when more than 15 are wanted', async () => {
    server.answer(page({ next_cursor: null }));
    const customFields = Array.from({ length: 16 }, (_, n) => `${n}`.padStart(40, '0'));
    const listed = await clientOf(server.url).listRecords('organization', { customFields });
    expect(listed).toEqual({ outcome: 'ok', data: [] });
    expect(asked().searchParams.has('custom_fields')).toBe(false);
  });

  it('walks v1 by start, and says so with the same cursor', async () => {
    server.answer(
      page({
        pagination: { start: 0, limit: 500, more_items_in_collection: true, next_start: 500 },
      }),
    );
    const listed = await clientOf(server.url).listRecords('lead', { cursor: '0' });
    expect(listed).toEqual({ outcome: 'ok', data: [], nextCursor: '500' });
    expect(asked().pathname).toBe('/api/v1/leads');
    expect(asked().searchParams.get('start')).toBe('0');
  });

  it('goes the other way when asked to, in v2 and in v1', async () => {
    server.answer(page({}));
    const newest = { sortBy: 'id', sortDirection: 'desc', limit: 1 } as const;
    await clientOf(server.url).listRecords('person', newest);
    expect(Object.fromEntries(asked().searchParams)).toEqual({
      ...{ limit: '1', sort_by: 'id', sort_direction: 'desc' },
    });
    server.requests.length = 0;
    await clientOf(server.url).listRecords('lead', newest);
    expect(asked().searchParams.get('sort')).toBe('id DESC');
  });

  it('of more than 100 ids is a mistake of the caller', () => {
    const ids = Array.from({ length: 101 }, (_, n) => `${n}`);
    expect(() => clientOf(server.url).listRecords('person', { ids })).toThrow(RangeError);
  });

  it('with one record that has no id is not taken for a page without it', async () => {
    server.answer(saying(200, { success: true, data: [{ id: 1 }, { name: 'x' }] }));
    expect(await clientOf(server.url).listRecords('person')).toMatchObject({
      outcome: 'unavailable',
    });
  });
});

describe('a search by e-mail', () => {
  it('keeps only hits that have the address, whatever its case', async () => {
    const item = (id: number, ...emails: string[]) => ({
      result_score: 1,
      item: { id, name: 'N', emails },
    });
    const items = [
      item(1, 'ADA@x.test'),
      item(2, 'ada@x.test.evil'),
      item(3, 'b@x.test', ' ada@X.test'),
    ];
    server.answer(saying(200, { success: true, data: { items } }));
    const found = await clientOf(server.url).searchPersonsByEmail('Ada@x.test');
    expect(found).toMatchObject({ outcome: 'ok', data: [{ id: '1' }, { id: '3' }] });
    expect(asked().searchParams.get('exact_match')).toBe('true');
  });

  it('reads on while there are pages, and never takes too many for "not found"', async () => {
    const hit = { item: { id: 1, name: 'N', emails: ['a@x.test'] } };
    const paged = (isLast: (cursor: string | null) => boolean) => {
      server.requests.length = 0;
      server.answer((request, response, body) => {
        const cursor = new URL(request.url ?? '', server.url).searchParams.get('cursor');
        const last = isLast(cursor);
        const data = { items: last ? [hit] : [] };
        const additional_data = { next_cursor: last ? null : `${Number(cursor ?? 0) + 1}` };
        saying(200, { success: true, data, additional_data })(request, response, body);
      });
    };
    paged((cursor) => cursor === '2');
    const found = await clientOf(server.url).searchPersonsByEmail('a@x.test');
    expect(found).toMatchObject({ outcome: 'ok', data: [{ id: '1' }] });
    paged(() => false);
    expect(await clientOf(server.url).searchPersonsByEmail('a@x.test')).toMatchObject({
      outcome: 'unavailable',
    });
    expect(server.requests).toHaveLength(5);
  });

  it('that fails is a failure, never "not found"', async () => {
    server.answer(saying(200, { success: true, data: null }));
    expect(await clientOf(server.url).searchPersonsByEmail('a@x.test')).toMatchObject({
      outcome: 'unavailable',
    });
  });
});

describe('a catalogue', () => {
  it('is read to its last page', async () => {
    const field = (code: string) => ({
      field_code: code,
      field_name: code,
      field_type: 'varchar',
      is_custom_field: true,
    });
    server.answer((request, response, body) => {
      const first = !request.url?.includes('cursor=');
      const data = [field((first ? 'a' : 'b').repeat(40))];
      saying(200, { success: true, data, additional_data: { next_cursor: first ? 'c2' : null } })(
        request,
        response,
        body,
      );
    });
    const listed = await clientOf(server.url).listFields('person');
    const custom = listed.outcome === 'ok' ? listed.data.filter((one) => one.custom) : [];
    expect(custom.map(({ code }) => code)).toEqual(['a'.repeat(40), 'b'.repeat(40)]);
  });

  it('that never ends is given up', async () => {
    server.answer(page({ next_cursor: 'again' }));
    expect(await clientOf(server.url).listFields('person')).toEqual({
      outcome: 'unavailable',
      cause: 'catalogue_without_end',
    });
    expect(server.requests).toHaveLength(20);
  });
});

describe('an API domain', () => {
  const local = 'http://127.0.0.1:4700';
  it.each([
    ['https://acme.pipedrive.com', 'https://acme.pipedrive.com'],
    ['https://acme.pipedrive.com/some/path', 'https://acme.pipedrive.com'],
    [`${local}/`, local],
    ['http://acme.pipedrive.com', undefined],
    ['https://acme.pipedrive.com.evil.test', undefined],
    ['https://evilpipedrive.com', undefined],
    ['https://pipedrive.com@evil.test', undefined],
    ['https://user:pw@acme.pipedrive.com', undefined],
    ['https://acme.pipedrive.com:8443', undefined],
    ['http://127.0.0.1:4701', undefined],
    ['acme.pipedrive.com', undefined],
    ['', undefined],
  ])('%s is called as %s', (domain, origin) => {
    expect(parseApiDomain(domain, [local, 'not a url'])).toBe(origin);
  });

  it('that must not be called makes no client', () => {
    const authorization = () => Promise.reject(new Error('never asked'));
    const options = { apiDomain: 'https://evil.test', authorization, timeoutMs: 100 };
    expect(() => createPipedriveClient(options)).toThrow(RangeError);
  });
});
