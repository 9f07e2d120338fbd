import type { PipedriveObject } from '@manifold/contracts';
import type { OperationName } from '../operations.ts';

/** The objects that can be listed and written; users are listed with `listUsers`. */
export type RecordObject = Exclude<PipedriveObject, 'user'>;

type Verb = 'list' | 'get' | 'create' | 'update' | 'remove';

/** Which operation carries out a verb on an object; its price is in `operations`. */
export const recordOperations = {
  person: verbs('getPersons', 'getPerson', 'addPerson', 'updatePerson', 'deletePerson'),
  organization: verbs(
    'getOrganizations',
    'getOrganization',
    'addOrganization',
    'updateOrganization',
    'deleteOrganization',
  ),
  deal: verbs('getDeals', 'getDeal', 'addDeal', 'updateDeal', 'deleteDeal'),
  lead: verbs('getLeads', 'getLead', 'addLead', 'updateLead', 'deleteLead'),
  activity: verbs(
    'getActivities',
    'getActivity',
    'addActivity',
    'updateActivity',
    'deleteActivity',
  ),
  note: verbs('getNotes', 'getNote', 'addNote', 'updateNote', 'deleteNote'),
  product: verbs('getProducts', 'getProduct', 'addProduct', 'updateProduct', 'deleteProduct'),
} as const satisfies Record<RecordObject, Record<Verb, OperationName>>;

function verbs(
  ...names: [OperationName, OperationName, OperationName, OperationName, OperationName]
) {
  const [list, get, create, update, remove] = names;
  return { list, get, create, update, remove };
}

/** The objects a list can name by their ids: those of v2. Leads and notes are read one by one. */
export type ListedByIds = Exclude<RecordObject, 'lead' | 'note'>;

export const isListedByIds = (object: RecordObject): object is ListedByIds =>
  object !== 'lead' && object !== 'note';

/** Which operation carries out a list; that of archived records has a price of its own. */
export const listOperationOf = (
  object: RecordObject,
  { archived = false }: { archived?: boolean | undefined } = {},
): OperationName => {
  if (!archived) return recordOperations[object].list;
  if (object === 'deal') return 'getArchivedDeals';
  if (object === 'lead') return 'getArchivedLeads';
  throw new RangeError('only deals and leads are archived');
};
