import type { IdentityKey, PipedriveObject, PipedriveRecord } from '@manifold/contracts';
import type { Failure } from '@manifold/pipedrive';
import { lookUp } from '../../registry/look-up.ts';
import { hasKey, isSearchable } from '../../writes/identity/rules.ts';
import { search } from '../../writes/sending/resolving/search.ts';
import { SEARCH_TOKENS } from '../costs/prices.ts';
import { readRecords } from '../reading/reading.ts';
import type { Work } from '../work.ts';
import { codesOf, matchNamed, matchOf, type Sought } from './match-named.ts';
import { noSuchField } from './reasons/rules.ts';
import type { Match } from './rules.ts';

export interface Matched {
  match: Match;
  /** Tokens that looking again takes, where nothing but a search can tell. */
  lookTokens: number;
}

/** Matches by step id; a step that is missing was left for the next stretch. */
export type Matching = { matches: Map<string, Matched> } | { failure: Failure };

/** Each costs 20 tokens, so that what a killed process has paid for stays little. */
const MOST_SEARCHES = 25;

/** Finds the records of steps of one object: by id, by our links, by the index, by exact search. */
export async function matchSteps(
  work: Work,
  object: PipedriveObject,
  sought: readonly Sought[],
): Promise<Matching> {
  const matches = new Map<string, Matched>();
  const named = await matchNamed(work, object, sought);
  if ('failure' in named) return named;
  for (const [id, match] of named.matches) matches.set(id, { match, lookTokens: 0 });
  const rest = sought.filter(({ step }) => !matches.has(step.id));
  const indexed = await matchIndexed(work, object, rest);
  if ('failure' in indexed) return indexed;
  for (const [id, match] of indexed.matches) matches.set(id, { match, lookTokens: 0 });
  let searchesLeft = MOST_SEARCHES;
  for (const one of sought) {
    if (matches.has(one.step.id)) continue;
    if (searchesLeft <= 0) break;
    const found = await findByKeys(work, one);
    if ('failure' in found) return found;
    searchesLeft -= found.lookTokens / SEARCH_TOKENS;
    matches.set(one.step.id, found);
  }
  return { matches };
}

interface Named {
  one: Sought;
  key: IdentityKey;
  ids: readonly string[];
}

/** Those whose every key the index knows, read together. */
async function matchIndexed(
  work: Work,
  object: PipedriveObject,
  sought: readonly Sought[],
): Promise<{ matches: Map<string, Match> } | { failure: Failure }> {
  const byStep = new Map<string, Named[]>();
  for (const one of sought) {
    const named = await indexedIds(work, one);
    if (named !== undefined && 'failure' in named) return named;
    if (named !== undefined) byStep.set(one.step.id, named);
  }
  const ids = [...byStep.values()].flat().flatMap((named) => named.ids);
  const read = await readRecords(work, object, { ids, codes: codesOf(sought) });
  if ('failure' in read) return read;
  const matches = new Map<string, Match>();
  for (const [id, named] of byStep) {
    const byKey = named.map((entry) =>
      matchOf(livingOf(read.records, entry.ids, entry.key), 'index'),
    );
    matches.set(id, byKey.find((match) => match !== undefined) ?? { outcome: 'absent' });
  }
  return { matches };
}

/** Undefined: not every key is covered by the index. */
async function indexedIds(
  work: Work,
  one: Sought,
): Promise<Named[] | { failure: Failure } | undefined> {
  const named: Named[] = [];
  for (const key of keysOf(one)) {
    const known = await lookUpKey(work, one, key);
    if (known.outcome === 'failed') return { failure: known.failure };
    if (known.outcome === 'not_indexed') return undefined;
    named.push({ one, key, ids: known.pipedriveIds.slice(0, MOST_CANDIDATES) });
  }
  return named;
}

/** What must be new is looked for by our own links only. */
const keysOf = ({ step, body }: Sought): IdentityKey[] =>
  step.operation === 'create' ? [] : body.identity.filter(({ kind }) => kind !== 'pipedrive_id');

const livingOf = (
  records: ReadonlyMap<string, PipedriveRecord>,
  ids: readonly string[],
  key: IdentityKey,
): PipedriveRecord[] =>
  ids.flatMap((id) => records.get(id) ?? []).filter((record) => hasKey(record, key));

const lookUpKey = ({ deps, set, client }: Work, { step }: Sought, key: IdentityKey) => {
  const { workspace_id: workspaceId, connection_id: connectionId, company_id: companyId } = set;
  return lookUp(deps, { workspaceId, connectionId, companyId, object: step.object, key }, client);
};

/** The first key that some record has decides. */
async function findByKeys(work: Work, one: Sought): Promise<Matched | { failure: Failure }> {
  let lookTokens = 0;
  for (const key of keysOf(one)) {
    const named = await idsWithKey(work, one, key);
    if ('failure' in named) return named;
    if ('unclear' in named) return { match: named.unclear, lookTokens };
    if (named.by === 'search') lookTokens += SEARCH_TOKENS;
    const ids = named.ids.slice(0, MOST_CANDIDATES);
    const read = await readRecords(work, one.step.object, { ids, codes: codesOf([one]) });
    if ('failure' in read) return read;
    const match = matchOf(livingOf(read.records, ids, key), named.by);
    if (match !== undefined) return { match, lookTokens };
  }
  return { match: { outcome: 'absent' }, lookTokens };
}

/** Enough to see that there are several. */
const MOST_CANDIDATES = 10;

async function idsWithKey(
  work: Work,
  one: Sought,
  key: IdentityKey,
): Promise<
  | { ids: readonly string[]; by: 'index' | 'search' }
  | { unclear: Extract<Match, { outcome: 'unclear' }> }
  | { failure: Failure }
> {
  const { object } = one.step;
  const known = await lookUpKey(work, one, key);
  if (known.outcome === 'failed') return { failure: known.failure };
  if (known.outcome === 'known') return { ids: known.pipedriveIds, by: 'index' };
  const fields = await work.fieldsOf(object);
  if (key.kind === 'field' && fields.length > 0 && !fields.some(({ code }) => code === key.field)) {
    const words = noSuchField(key.field);
    return { unclear: { outcome: 'unclear', reason: 'unknown_field', ...words } };
  }
  if (!isSearchable(key, fields)) {
    return { unclear: { outcome: 'unclear', reason: 'index_needed' } };
  }
  const searched = await search({ client: work.client, step: { object } }, key);
  // no further try finds fewer: the row is left out, and the others go on
  if (searched.outcome === 'unavailable' && searched.cause === 'too_many_hits') {
    return { unclear: { outcome: 'unclear', reason: 'index_needed', ...tooManyHits } };
  }
  if (searched.outcome !== 'ok') return { failure: searched };
  return { ids: [...new Set(searched.data.map(({ id }) => id))], by: 'search' };
}

const tooManyHits = {
  cause: 'Pipedrive finds more records by this identity than can be looked at.',
  fix: 'Name the record by its PIPEDRIVE_ID, or have an index of that field made and wait until it is complete; then plan the row anew.',
};
