import type { IdentityKey, PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Failure, RecordObject } from '@manifold/pipedrive';
import { listLinks, setLinksGone } from '../../../links/store.ts';
import { lookUp } from '../../../registry/look-up.ts';
import { keyHashOf } from '../../body.ts';
import { hasKey, isSearchable } from '../../identity/rules.ts';
import { type Held, linkKeysOf, type SendingDeps } from '../held.ts';
import { isUnknownField } from '../misfit/misfit.ts';
import { isAbsent } from '../rules.ts';
import { search } from './search.ts';

/** Which record a step is about. */
export type Resolution =
  | { outcome: 'found'; record: PipedriveRecord }
  | { outcome: 'absent' }
  /** Its own id was given, and there is no such record any more. */
  | { outcome: 'gone' }
  | { outcome: 'several'; candidates: string[] }
  /** Pipedrive cannot search for the key, and no index covers it. */
  | { outcome: 'index_needed'; key: IdentityKey }
  /** Pipedrive does not have the field of the key. */
  | { outcome: 'unknown_field'; field: string }
  /** A look-up that failed is a failure, never an absence. */
  | { outcome: 'failed'; failure: Failure };

type Read = Extract<Resolution, { outcome: 'found' | 'gone' | 'failed' }>;

/** What a record is looked for by. */
export interface Wanted {
  identity: readonly IdentityKey[];
  keyHashes: readonly string[];
  /** False: nothing but our own links is asked. */
  searches: boolean;
}

/** The record a step is about. */
export const resolve = (deps: SendingDeps, held: Held): Promise<Resolution> =>
  resolveRecord(deps, held, {
    identity:
      held.step.operation === 'create'
        ? held.body.identity.filter(({ kind }) => kind !== 'pipedrive_id')
        : held.body.identity,
    keyHashes: held.step.key_hashes,
    searches: held.step.operation !== 'create',
  });

/** Finds a record by its id, then by our own links, then by the index or exact search, key by key. */
export async function resolveRecord(
  deps: SendingDeps,
  held: Held,
  wanted: Wanted,
): Promise<Resolution> {
  const id = wanted.identity.find(({ kind }) => kind === 'pipedrive_id')?.value;
  if (id !== undefined) return readRecord(held, id);
  const linked = await readLinked(deps, held, wanted);
  if (linked !== undefined) return linked;
  return wanted.searches ? findByKeys(deps, held, wanted.identity) : { outcome: 'absent' };
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

/** The record our links name; a link to a record that is gone is forgotten. */
async function readLinked(
  deps: SendingDeps,
  held: Held,
  { keyHashes }: Wanted,
): Promise<Resolution | undefined> {
  const { step } = held;
  const links =
    keyHashes === step.key_hashes
      ? held.links
      : await withWorkspace(deps.db, step.workspace_id, (tx) =>
          listLinks(tx, { ...linkKeysOf(step), keyHashes }),
        );
  const ids = links.flatMap(({ state, pipedrive_id }) =>
    state === 'linked' && pipedrive_id !== null ? [pipedrive_id] : [],
  );
  const read = await readLiving(held, ids, () => true);
  if ('failure' in read) return { outcome: 'failed', failure: read.failure };
  for (const pipedriveId of read.gone) {
    const record = { companyId: step.company_id, object: step.object, pipedriveId };
    await withWorkspace(deps.db, step.workspace_id, (tx) => setLinksGone(tx, record, deps.now()));
  }
  return oneOf(read.living);
}

/** Keys of different trust can mean different records: that is for a person to decide. */
function oneOf(living: readonly PipedriveRecord[]): Resolution | undefined {
  const [record, ...others] = living;
  if (record === undefined) return undefined;
  if (others.length === 0) return { outcome: 'found', record };
  return { outcome: 'several', candidates: living.map(({ id }) => id) };
}

type Reading = { living: PipedriveRecord[]; gone: string[] } | { failure: Failure };

/** The records of these ids that live and are `wanted`; an index lags and keeps ghosts. */
async function readLiving(
  held: Held,
  ids: readonly string[],
  wanted: (record: PipedriveRecord) => boolean,
): Promise<Reading> {
  const living: PipedriveRecord[] = [];
  const gone: string[] = [];
  for (const id of [...new Set(ids)].slice(0, MOST_CANDIDATES)) {
    const read = await readRecord(held, id);
    if (read.outcome === 'failed') return { failure: read.failure };
    if (read.outcome === 'gone') gone.push(id);
    else if (wanted(read.record)) living.push(read.record);
  }
  return { living, gone };
}

/** The first key that some record has decides, unless another one is known to mean a different record. */
async function findByKeys(
  deps: SendingDeps,
  held: Held,
  identity: readonly IdentityKey[],
): Promise<Resolution> {
  for (const [index, key] of identity.entries()) {
    const known = await lookUpKey(deps, held, key);
    if (known.outcome === 'failed') return known;
    const found =
      known.outcome === 'known'
        ? await readKnown(deps, held, { ids: known.pipedriveIds, keys: identity.slice(index) })
        : await searchOne(deps, held, key);
    if (found.outcome !== 'absent') return found;
  }
  return { outcome: 'absent' };
}

const lookUpKey = (deps: SendingDeps, held: Held, key: IdentityKey) => {
  const { workspace_id: workspaceId, connection_id: connectionId, company_id, object } = held.step;
  const wanted = { workspaceId, connectionId, companyId: company_id, object, key };
  return lookUp(deps, wanted, held.client);
};

/** What the index names for the first of the keys, and for those after it where it knows them too. */
async function readKnown(
  deps: SendingDeps,
  held: Held,
  { ids, keys }: { ids: readonly string[]; keys: readonly IdentityKey[] },
): Promise<Resolution> {
  if (ids.length === 0) return { outcome: 'absent' };
  const all = [...ids];
  for (const key of keys.slice(1)) {
    const known = await lookUpKey(deps, held, key);
    if (known.outcome === 'failed') return known;
    if (known.outcome === 'known') all.push(...known.pipedriveIds);
  }
  const read = await readLiving(held, all, (record) => keys.some((key) => hasKey(record, key)));
  if ('failure' in read) return { outcome: 'failed', failure: read.failure };
  return oneOf(read.living) ?? { outcome: 'absent' };
}

async function searchOne(deps: SendingDeps, held: Held, key: IdentityKey): Promise<Resolution> {
  if (key.kind === 'field' && (await isUnknownField(deps, held, key.field))) {
    return { outcome: 'unknown_field', field: key.field };
  }
  if (!isSearchable(key, held.definitions)) return { outcome: 'index_needed', key };
  const hash = keyHashOf(deps.vault, held.step, key);
  const lately = held.searched.get(hash);
  const searched = lately ?? (await search(held, key));
  if ('outcome' in searched && searched.outcome !== 'ok') {
    return { outcome: 'failed', failure: searched };
  }
  const ids = 'ids' in searched ? searched.ids : searched.data.map(({ id }) => id);
  if (lately === undefined) held.searched.set(hash, { at: Number(deps.now()), ids });
  const read = await readLiving(held, ids, (record) => hasKey(record, key));
  if ('failure' in read) return { outcome: 'failed', failure: read.failure };
  return oneOf(read.living) ?? { outcome: 'absent' };
}

/** Enough to see that there are several; each costs a token. */
const MOST_CANDIDATES = 10;
