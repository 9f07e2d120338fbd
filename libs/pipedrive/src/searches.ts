import { z } from 'zod';
import type { Call } from './call.ts';
import type { Outcome } from './outcomes.ts';

/** A person the search index knows; the record itself may have changed or gone since. */
export interface PersonMatch {
  id: string;
  name: string | null;
  emails: string[];
}

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

export interface Searches {
  /**
   * Persons with exactly this e-mail address, whatever its case. Compared again on our side. The
   * index lags behind writes by seconds and keeps deleted records for a while: none found is not
   * proof of absence.
   */
  searchPersonsByEmail: (email: string) => Promise<Outcome<PersonMatch[]>>;
  /** Organizations with exactly this name, whatever its case. Same warning. */
  searchOrganizationsByName: (name: string) => Promise<Outcome<ItemMatch[]>>;
  /** Records by one field, case-sensitive. Same warning. */
  searchItemField: (search: ItemFieldSearch) => Promise<Outcome<ItemMatch[]>>;
}

const recordId = z.union([z.number(), z.string()]).transform(String);
const itemMatch = z.object({
  id: recordId,
  name: z
    .string()
    .nullish()
    .transform((name) => name ?? null),
});
const personMatch = itemMatch.extend({ emails: z.array(z.string()).catch([]) });

/** v2 search answers wrap every hit with its score. */
const hitsIn = (data: unknown): unknown[] =>
  z
    .object({ items: z.array(z.object({ item: z.unknown() })) })
    .parse(data)
    .items.map(({ item }) => item);

const sameText = (one: string, other: string): boolean =>
  one.trim().toLowerCase() === other.trim().toLowerCase();

export const createSearches = (call: Call): Searches => ({
  searchPersonsByEmail: (email) =>
    call('searchPersons', {
      query: { term: email.trim(), fields: 'email', exact_match: true, limit: 500 },
      read: (data) =>
        z
          .array(personMatch)
          .parse(hitsIn(data))
          .filter(({ emails }) => emails.some((found) => sameText(found, email))),
    }),
  searchOrganizationsByName: (name) =>
    call('searchOrganization', {
      query: { term: name.trim(), fields: 'name', exact_match: true, limit: 500 },
      read: (data) =>
        z
          .array(itemMatch)
          .parse(hitsIn(data))
          .filter((found) => found.name !== null && sameText(found.name, name)),
    }),
  searchItemField: ({ object, field, term, match = 'exact' }) =>
    call('searchItemByField', {
      query: { entity_type: object, field, term, match, limit: 500 },
      read: (data) => z.array(itemMatch).parse(data ?? []),
    }),
});
