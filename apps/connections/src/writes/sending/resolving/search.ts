import type { IdentityKey } from '@manifold/contracts';
import type { ItemFieldSearch, Outcome, PipedriveClient } from '@manifold/pipedrive';
import type { Step } from '../../store.ts';

/** One exact search for a key; its hits are still to be read. */
export function search(
  { client, step }: { client: PipedriveClient; step: Pick<Step, 'object'> },
  key: IdentityKey,
): Promise<Outcome<readonly { id: string }[]>> {
  switch (key.kind) {
    case 'pipedrive_id':
    case 'domain':
      throw new Error(`No search finds a record by its ${key.kind}`);
    case 'email':
      return client.searchPersonsByEmail(key.value);
    case 'phone':
      return client.searchPersonsByPhone(key.value);
    case 'name':
      return client.searchOrganizationsByName(key.value);
    case 'field':
      return searchField(client, searchedObject(step.object), key);
  }
}

/** What a record is called or coded by has a search of its own, which case does not matter to. */
function searchField(
  client: PipedriveClient,
  object: ItemFieldSearch['object'],
  { field, value }: { field: string; value: string },
): Promise<Outcome<readonly { id: string }[]>> {
  if (object === 'deal' && field === 'title') return client.searchDealsByTitle(value);
  if (object === 'lead' && field === 'title') return client.searchLeadsByTitle(value);
  if (object === 'product' && field === 'name') return client.searchProductsByName(value);
  if (object === 'product' && field === 'code') return client.searchProductsByCode(value);
  return client.searchItemField({ object, field, term: value });
}

function searchedObject(object: string): ItemFieldSearch['object'] {
  switch (object) {
    case 'person':
    case 'organization':
    case 'deal':
    case 'lead':
    case 'product':
      return object;
    default:
      throw new Error(`A ${object} cannot be searched by a field`);
  }
}
