import { z } from 'zod';
import type { Call, Query } from '../calling/call.ts';
import type { OperationName } from '../operations.ts';
import type { Outcome } from '../calling/outcomes.ts';

/** A person the search index knows; the record itself may have changed or gone since. */
export interface PersonMatch {
  id: string;
  name: string | null;
  emails: string[];
  phones: string[];
}

/** `name` is the title of deals and leads. */
export interface ItemMatch {
  id: string;
  name: string | null;
}

export interface ItemFieldSearch {
  object: 'person' | 'organization' | 'deal' | 'lead' | 'product';
  /** Code of the field; address, text, number, monetary and phone fields are indexed. */
  field: string;
  term: string;
  match?: 'exact' | 'beginning' | 'middle';
}

/** Only deals or leads of this person, of this organization, or of both. */
export interface NearRecords {
  personId?: string | undefined;
  organizationId?: string | undefined;
}

/**
 * Exact matches only, compared again on our side. The index lags behind writes by seconds and keeps
 * deleted records for a while: none found is not proof of absence.
 */
export interface Searches {
  /** Persons with this e-mail address, whatever its case. */
  searchPersonsByEmail: (email: string) => Promise<Outcome<PersonMatch[]>>;
  /** Persons with this number; spaces and punctuation do not count on our side, but may on Pipedrive's. */
  searchPersonsByPhone: (phone: string) => Promise<Outcome<PersonMatch[]>>;
  /** Organizations with this name, whatever its case. */
  searchOrganizationsByName: (name: string) => Promise<Outcome<ItemMatch[]>>;
  searchDealsByTitle: (title: string, near?: NearRecords) => Promise<Outcome<ItemMatch[]>>;
  searchLeadsByTitle: (title: string, near?: NearRecords) => Promise<Outcome<ItemMatch[]>>;
  searchProductsByName: (name: string) => Promise<Outcome<ItemMatch[]>>;
  searchProductsByCode: (code: string) => Promise<Outcome<ItemMatch[]>>;
  /** Records by one field, case-sensitive. */
  searchItemField: (search: ItemFieldSearch) => Promise<Outcome<ItemMatch[]>>;
}

const recordId = z.union([z.number(), z.string()]).transform(String);
const text = z
  .union([z.string(), z.number().transform(String)])
  .nullish()
  .transform((value) => value ?? null);
const item = z.looseObject({ id: recordId, name: text, title: text, code: text });
const texts = z.array(z.string()).catch([]);
const person = z.object({ id: recordId, name: text, emails: texts, phones: texts });

/** v2 search answers wrap every hit with its score. */
const hitsIn = (data: unknown): unknown[] =>
  z
    .object({ items: z.array(z.object({ item: z.unknown() })) })
    .parse(data)
    .items.map((hit) => hit.item);

const itemMatch = ({ id, name, title }: z.infer<typeof item>): ItemMatch => ({
  id,
  name: name ?? title,
});

const sameText = (one: string | null, other: string): boolean =>
  one !== null && one.trim().toLowerCase() === other.trim().toLowerCase();

const dialled = (phone: string): string => phone.replace(/[^\d+]/g, '');

export const createSearches = (call: Call): Searches => {
  const search = <Hit>(
    operation: OperationName,
    query: Query & { term: string },
    { hit, isMeant }: { hit: z.ZodType<Hit>; isMeant: (found: Hit) => boolean },
  ): Promise<Outcome<Hit[]>> =>
    readHits((cursor) =>
      call(operation, {
        query: { ...query, term: query.term.trim(), exact_match: true, limit: PAGE, cursor },
        read: (data) => z.array(hit).parse(hitsIn(data)).filter(isMeant),
      }),
    );
  const searchPersons = (
    query: Query & { term: string },
    isMeant: (found: PersonMatch) => boolean,
  ) => search('searchPersons', query, { hit: person, isMeant });
  const searchItems = async (
    operation: OperationName,
    query: Query & { term: string; fields: 'name' | 'title' | 'code' },
  ) => {
    const isMeant = (hit: z.infer<typeof item>) => sameText(hit[query.fields], query.term);
    const meant = await search(operation, query, { hit: item, isMeant });
    return meant.outcome === 'ok' ? { ...meant, data: meant.data.map(itemMatch) } : meant;
  };
  return {
    searchPersonsByEmail: (email) =>
      searchPersons({ term: email, fields: 'email' }, ({ emails }) =>
        emails.some((found) => sameText(found, email)),
      ),
    searchPersonsByPhone: (phone) =>
      searchPersons({ term: phone, fields: 'phone' }, ({ phones }) =>
        phones.some((found) => dialled(found) === dialled(phone)),
      ),
    searchOrganizationsByName: (name) =>
      searchItems('searchOrganization', { term: name, fields: 'name' }),
    searchDealsByTitle: (title, near) =>
      searchItems('searchDeals', { term: title, fields: 'title', ...nearQuery(near) }),
    searchLeadsByTitle: (title, near) =>
      searchItems('searchLeads', { term: title, fields: 'title', ...nearQuery(near) }),
    searchProductsByName: (name) => searchItems('searchProducts', { term: name, fields: 'name' }),
    searchProductsByCode: (code) => searchItems('searchProducts', { term: code, fields: 'code' }),
    searchItemField: (wanted) => searchItemField(call, wanted),
  };
};

const searchItemField = (
  call: Call,
  { object, field, term, match = 'exact' }: ItemFieldSearch,
): Promise<Outcome<ItemMatch[]>> =>
  readHits((cursor) =>
    call('searchItemByField', {
      query: { entity_type: object, field, term, match, limit: PAGE, cursor },
      read: (data) =>
        z
          .array(item)
          .parse(data ?? [])
          .map(itemMatch),
    }),
  );

const nearQuery = ({ personId, organizationId }: NearRecords = {}): Query => ({
  person_id: personId,
  organization_id: organizationId,
});

const PAGE = 500;
const MOST_PAGES = 5;

/** All matches of the first pages; none while there are more pages is no absence. */
async function readHits<Hit>(
  readPage: (cursor: string | undefined) => Promise<Outcome<Hit[]>>,
): Promise<Outcome<Hit[]>> {
  const data: Hit[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const found = await readPage(cursor);
    if (found.outcome !== 'ok') return found;
    data.push(...found.data);
    cursor = found.nextCursor;
    if (cursor === undefined) return { outcome: 'ok', data };
  }
  return data.length > 0
    ? { outcome: 'ok', data }
    : { outcome: 'unavailable', cause: 'too_many_hits' };
}
