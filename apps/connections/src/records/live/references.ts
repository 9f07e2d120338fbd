import type { ConnectionId, PipedriveObject, PipedriveRecord } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { createLoader, type RequestContext } from '@manifold/subgraph';
import { MOST_ONE_BY_ONE } from '../by-ids.ts';
import { type LiveAnswer, type LiveDeps, readLive } from './commands.ts';
import { requireRecords } from './rules.ts';

/** A record something points at, and which fields of it are going to be shown. */
export interface RecordReference {
  connectionId: ConnectionId;
  object: PipedriveObject;
  id: string;
  codes: readonly string[];
}

export type LoadedRecord = Omit<LiveAnswer, 'records' | 'missing'> & { record: PipedriveRecord };
type Row = { key: string } & ({ loaded: LoadedRecord } | { refusal: Refusal });

const AT_ONCE = 100;
/** Records of one kind that one answer can point at. */
const MOST = 500;

/** All records an answer points at: those of one kind and connection are one list, a hundred at a time. */
export const createRecordLoaders = (
  deps: LiveDeps,
  who: Pick<RequestContext, 'workspaceId' | 'identity'>,
) => ({
  liveRecords: createLoader<string, Row>(
    async (keys) => {
      const references = keys.map(referenceOf);
      const kinds = Map.groupBy(references, ({ connectionId, object }) =>
        [connectionId, object].join(),
      );
      const rows: Row[] = [];
      // one after the other: the window of two seconds is not of one reader alone
      for (const some of kinds.values()) rows.push(...(await loadKind(deps, who, some)));
      return rows;
    },
    ({ key }) => key,
  ),
});

export type RecordContext = RequestContext & { loaders: ReturnType<typeof createRecordLoaders> };

/** The record a reference means; null when there is none to see. */
export async function loadRecord(
  { loaders }: RecordContext,
  reference: RecordReference,
): Promise<LoadedRecord | null> {
  const row = await loaders.liveRecords.load(keyOf(reference));
  if (row && 'refusal' in row) throw row.refusal;
  return row?.loaded ?? null;
}

const keyOf = ({ connectionId, object, id, codes }: RecordReference): string =>
  JSON.stringify({ connectionId, object, id, codes });
// written by `keyOf`
const referenceOf = (key: string) => ({ key, ...(JSON.parse(key) as RecordReference) });

type Kind = ReturnType<typeof referenceOf>[];

async function loadKind(
  deps: LiveDeps,
  who: Pick<RequestContext, 'workspaceId' | 'identity'>,
  references: Kind,
): Promise<Row[]> {
  const [first] = references;
  if (first === undefined) return [];
  const most = first.object === 'lead' || first.object === 'note' ? MOST_ONE_BY_ONE : MOST;
  const rows: Row[] = references
    .slice(most)
    .map(({ key }) => ({ key, refusal: tooMany(first.object, most) }));
  for (let from = 0; from < Math.min(references.length, most); from += AT_ONCE) {
    const some = references.slice(from, Math.min(from + AT_ONCE, most));
    rows.push(...(await loadSome(deps, who, some)));
  }
  return rows;
}

async function loadSome(
  deps: LiveDeps,
  { workspaceId, identity }: Pick<RequestContext, 'workspaceId' | 'identity'>,
  some: Kind,
): Promise<Row[]> {
  const [first] = some;
  if (first === undefined) return [];
  try {
    const {
      records,
      missing: _,
      ...answer
    } = await readLive(deps, {
      workspaceId,
      userId: identity.userId,
      connectionId: first.connectionId,
      object: requireRecords(first.object),
      ids: some.map(({ id }) => id),
      fields: [...new Set(some.flatMap(({ codes }) => codes))],
    });
    const byId = new Map(records.map((record) => [record.id, record]));
    return some.flatMap(({ key, id }) => {
      const record = byId.get(id);
      return record ? [{ key, loaded: { ...answer, record } }] : [];
    });
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    return some.map(({ key }) => ({ key, refusal }));
  }
}

const tooMany = (object: string, most: number): Refusal =>
  new Refusal('invalid', `More than ${most} ${object}s are pointed at in one answer`, {
    reason: 'too_many_items',
    fix: 'Ask for a smaller page.',
  });
