import type { IdentityKey, PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Failure, ItemFieldSearch, Outcome, RecordObject } from '@manifold/pipedrive';
import { type LinkKeys, listLinks, setLinksGone } from '../../links/store.ts';
import { hasKey } from '../identity/rules.ts';
import type { Held, SendingDeps } from './held.ts';
import { isAbsent, searchKeys } from './rules.ts';

/** Which record a step is about. */
export type Resolution =
  | { outcome: 'found'; record: PipedriveRecord }
  | { outcome: 'absent' }
  /** Its own id was given, and there is no such record any more. */
  | { outcome: 'gone' }
  | { outcome: 'several'; candidates: string[] }
  /** A look-up that failed is a failure, never an absence. */
  | { outcome: 'failed'; failure: Failure };

type Read = Extract<Resolution, { outcome: 'found' | 'gone' | 'failed' }>;

/** Finds the record by its id, then by our own links, then by exact search. */
export async function resolve(deps: SendingDeps, held: Held): Promise<Resolution> {
  const { step, body } = held;
  const id = body.identity.find(({ kind }) => kind === 'pipedrive_id')?.value;
  if (id !== undefined && step.operation !== 'create') return readRecord(held, id);
  const linked = await readLinked(deps, held);
  if (linked !== undefined) return linked;
  for (const key of searchKeys({ operation: step.operation, identity: body.identity })) {
    const found = await searchOne(held, key);
    if (found.outcome !== 'absent') return found;
  }
  return { outcome: 'absent' };
}

export const objectOf = ({ step }: Held): RecordObject => {
  if (step.object === 'user') throw new Error(`Step ${step.id} is about a user`);
  return step.object;
};

export async function readRecord(held: Held, id: string): Promise<Read> {
  const outcome = await held.client.getRecord(objectOf(held), id, {
    definitions: held.definitions,
  });
  if (outcome.outcome !== 'ok') {
    return isAbsent(outcome) ? { outcome: 'gone' } : { outcome: 'failed', failure: outcome };
  }
  if (outcome.data.deleted) return { outcome: 'gone' };
  return { outcome: 'found', record: outcome.data };
}

export const linkKeysOf = ({ step }: Held): LinkKeys => ({
  workspaceId: step.workspace_id,
  companyId: step.company_id,
  object: step.object,
  keyHashes: step.key_hashes,
});

/** The record our links name for the most trusted key; a link to a record that is gone is forgotten. */
async function readLinked(deps: SendingDeps, held: Held): Promise<Read | undefined> {
  const { step } = held;
  const links = await withWorkspace(deps.db, step.workspace_id, (tx) =>
    listLinks(tx, linkKeysOf(held)),
  );
  const byTrust = step.key_hashes.flatMap((hash) => {
    const link = links.find(({ key_hash, state }) => key_hash === hash && state === 'linked');
    return link?.pipedrive_id ?? [];
  });
  for (const id of new Set(byTrust)) {
    const read = await readRecord(held, id);
    if (read.outcome !== 'gone') return read;
    const record = { companyId: step.company_id, object: step.object, pipedriveId: id };
    await withWorkspace(deps.db, step.workspace_id, (tx) => setLinksGone(tx, record, deps.now()));
  }
  return undefined;
}

type SearchKey = Exclude<IdentityKey, { kind: 'pipedrive_id' }>;

/** An index lags and keeps ghosts, so every hit is read before it counts. */
async function searchOne(held: Held, key: SearchKey): Promise<Resolution> {
  const searched = await search(held, key);
  if (searched.outcome !== 'ok') return { outcome: 'failed', failure: searched };
  const ids = [...new Set(searched.data.map(({ id }) => id))];
  const living: PipedriveRecord[] = [];
  for (const id of ids.slice(0, MOST_CANDIDATES)) {
    const read = await readRecord(held, id);
    if (read.outcome === 'failed') return read;
    if (read.outcome === 'found' && hasKey(read.record, key)) living.push(read.record);
  }
  const [record, ...others] = living;
  if (record === undefined) return { outcome: 'absent' };
  if (others.length === 0) return { outcome: 'found', record };
  return { outcome: 'several', candidates: living.map((candidate) => candidate.id) };
}

/** Enough to see that there are several; each costs a token. */
const MOST_CANDIDATES = 10;

function search(
  { client, step }: Held,
  key: SearchKey,
): Promise<Outcome<readonly { id: string }[]>> {
  switch (key.kind) {
    case 'email':
      return client.searchPersonsByEmail(key.value);
    case 'name':
      return client.searchOrganizationsByName(key.value);
    case 'field':
      return client.searchItemField({
        object: searchedObject(step.object),
        field: key.field,
        term: key.value,
      });
  }
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
