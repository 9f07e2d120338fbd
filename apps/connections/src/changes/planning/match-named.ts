import type { PipedriveObject, PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Failure } from '@manifold/pipedrive';
import { listLinks } from '../../links/store.ts';
import type { StepBody } from '../../writes/rules.ts';
import type { Step } from '../../writes/store.ts';
import { readRecords } from '../reading/reading.ts';
import { isRecordId } from '../rules.ts';
import type { Work } from '../work.ts';
import type { Match } from './rules.ts';

/** A step whose record is wanted. */
export interface Sought {
  step: Step;
  body: StepBody;
}

/** Those that name an id, and those our links know, read together. */
export async function matchNamed(
  work: Work,
  object: PipedriveObject,
  sought: readonly Sought[],
): Promise<{ matches: Map<string, Match> } | { failure: Failure }> {
  const linked = await linkedIds(work, object, sought);
  const idsOf = ({ step, body }: Sought): { ids: readonly string[]; isNamed: boolean } => {
    const id = body.identity.find(({ kind }) => kind === 'pipedrive_id')?.value;
    return id !== undefined && step.operation !== 'create'
      ? // one that cannot be an id would have Pipedrive refuse the whole list
        { ids: isRecordId(object, id) ? [id] : [], isNamed: true }
      : {
          ids: [...new Set(step.key_hashes.flatMap((hash) => linked.get(hash) ?? []))],
          isNamed: false,
        };
  };
  const ids = sought.flatMap((one) => idsOf(one).ids);
  const read = await readRecords(work, object, { ids, codes: codesOf(sought) });
  if ('failure' in read) return read;
  const matches = new Map<string, Match>();
  for (const one of sought) {
    const { ids: own, isNamed } = idsOf(one);
    const living = own.flatMap((id) => read.records.get(id) ?? []);
    const match = matchOf(living, isNamed ? 'pipedrive_id' : 'link');
    if (match !== undefined) matches.set(one.step.id, match);
    else if (isNamed) matches.set(one.step.id, { outcome: 'gone' });
  }
  return { matches };
}

export function matchOf(
  living: readonly PipedriveRecord[],
  by: Extract<Match, { outcome: 'found' }>['by'],
): Match | undefined {
  const [record, ...others] = living;
  if (record === undefined) return undefined;
  if (others.length > 0) return { outcome: 'several', candidates: living.map(({ id }) => id) };
  return { outcome: 'found', record, by };
}

async function linkedIds(
  { deps, set }: Work,
  object: PipedriveObject,
  sought: readonly Sought[],
): Promise<Map<string, string>> {
  const keyHashes = [...new Set(sought.flatMap(({ step }) => step.key_hashes))];
  const keys = { workspaceId: set.workspace_id, companyId: set.company_id, object, keyHashes };
  const links = await withWorkspace(deps.db, set.workspace_id, (tx) => listLinks(tx, keys));
  return new Map(
    links.flatMap(({ key_hash, state, pipedrive_id }) =>
      state === 'linked' && pipedrive_id !== null ? [[key_hash, pipedrive_id] as const] : [],
    ),
  );
}

/** What is compared, and what records are known by. */
export const codesOf = (sought: readonly Sought[]): string[] => [
  ...new Set(
    sought.flatMap(({ body }) => [
      ...Object.keys(body.fields),
      ...Object.keys(body.onlyWhere),
      ...body.identity.flatMap((key) => ('field' in key ? [key.field] : [])),
    ]),
  ),
];
