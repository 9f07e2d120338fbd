import type { AuditEntryId, EventSummary, PipedriveObject, WorkspaceId } from '@manifold/contracts';
import { pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { AuditEntry, Db, Tables } from '../store.ts';
import type { Line } from './rules.ts';

export interface EntryFilter {
  service?: string | undefined;
  action?: string | undefined;
  outcome?: EventSummary['outcome'] | undefined;
  actorId?: string | undefined;
  actorApiKeyId?: string | undefined;
  target?: { type?: string | undefined; id?: string | undefined } | undefined;
  record?:
    | {
        connectionId?: string | undefined;
        object?: PipedriveObject | undefined;
        pipedriveId?: string | undefined;
      }
    | undefined;
  correlationId?: string | undefined;
  about?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  and?: EntryFilter[] | undefined;
  or?: EntryFilter[] | undefined;
  not?: EntryFilter | undefined;
}

type Entries = ExpressionBuilder<Tables, 'audit_entry'>;

/** What a filter asks for, as SQL; every given condition must hold. */
function matches(
  entry: Entries,
  workspaceId: WorkspaceId,
  filter: EntryFilter,
): Expression<SqlBool> {
  const equal = (
    column:
      | 'service'
      | 'action'
      | 'outcome'
      | 'actor_id'
      | 'actor_api_key_id'
      | 'target_type'
      | 'target_id'
      | 'connection_id'
      | 'object'
      | 'pipedrive_id'
      | 'correlation_id',
    value: string | undefined,
  ) => (value === undefined ? [] : [sql<SqlBool>`${entry.ref(column)} = ${value}`]);
  const inner = (part: EntryFilter) => matches(entry, workspaceId, part);
  return entry.and([
    ...equal('service', filter.service),
    ...equal('action', filter.action),
    ...equal('outcome', filter.outcome),
    ...equal('actor_id', filter.actorId),
    ...equal('actor_api_key_id', filter.actorApiKeyId),
    ...equal('target_type', filter.target?.type),
    ...equal('target_id', filter.target?.id),
    ...equal('connection_id', filter.record?.connectionId),
    ...equal('object', filter.record?.object),
    ...equal('pipedrive_id', filter.record?.pipedriveId),
    ...equal('correlation_id', filter.correlationId),
    ...(filter.about === undefined ? [] : [concerns(entry, workspaceId, filter.about)]),
    ...(filter.from === undefined ? [] : [entry('occurred_at', '>=', filter.from)]),
    ...(filter.to === undefined ? [] : [entry('occurred_at', '<', filter.to)]),
    ...(filter.and ?? []).map(inner),
    ...(filter.or === undefined ? [] : [entry.or(filter.or.map(inner))]),
    // an absent value does not equal anything, so its negation holds
    ...(filter.not === undefined ? [] : [sql<SqlBool>`(${inner(filter.not)}) is not true`]),
  ]);
}

const concerns = (entry: Entries, workspaceId: WorkspaceId, subject: string) =>
  entry(
    'id',
    'in',
    entry
      .selectFrom('audit_subject')
      .select('entry_id')
      .where('audit_subject.workspace_id', '=', workspaceId)
      .where('subject_id', '=', subject),
  );

const entries = (tx: Db, workspaceId: WorkspaceId, filter: EntryFilter) =>
  tx
    .selectFrom('audit_entry')
    .where('audit_entry.workspace_id', '=', workspaceId)
    .where((entry) => matches(entry, workspaceId, filter));

export async function listEntries(
  tx: Db,
  workspaceId: WorkspaceId,
  { filter, page, descending }: { filter: EntryFilter; page: PageRequest; descending: boolean },
): Promise<AuditEntry[]> {
  const rows = entries(tx, workspaceId, filter).selectAll();
  return pageByKeyset(rows, { by: ['occurred_at', 'id'], descending, page }).execute();
}

/** How many match, counted up to `most`. */
export async function countEntries(
  tx: Db,
  workspaceId: WorkspaceId,
  { filter, most }: { filter: EntryFilter; most: number },
): Promise<number> {
  const { count } = await tx
    .selectFrom(entries(tx, workspaceId, filter).select('id').limit(most).as('matching'))
    .select((row) => row.fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function listEntriesByIds(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly AuditEntryId[],
): Promise<AuditEntry[]> {
  return tx
    .selectFrom('audit_entry')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', [...ids])
    .execute();
}

/** The newest entries about each of several things, in one query. */
export async function listEntriesAbout(
  tx: Db,
  workspaceId: WorkspaceId,
  { subjects, most }: { subjects: readonly string[]; most: number },
): Promise<(AuditEntry & { subject_id: string })[]> {
  const { rows } = await sql<AuditEntry & { subject_id: string }>`
    select asked.subject_id, entry.* from unnest(${subjects}::text[]) as asked (subject_id)
    cross join lateral (
      select entry_id from audit_subject about
      where about.workspace_id = ${workspaceId} and about.subject_id = asked.subject_id
      order by about.occurred_at desc, about.entry_id desc limit ${most}) newest
    join audit_entry entry on entry.workspace_id = ${workspaceId} and entry.id = newest.entry_id
    order by entry.occurred_at desc, entry.id desc`.execute(tx);
  return rows;
}

/** Adds lines of any workspaces in scope; a line that is there already stays as it is. */
export async function insertLines(tx: Db, lines: readonly Line[]): Promise<void> {
  await tx
    .insertInto('audit_entry')
    .values(lines.map(({ entry }) => entry))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const subjects = lines.flatMap(({ entry, subjects: ids }) => {
    const { workspace_id, id: entry_id, occurred_at } = entry;
    return ids.map((subject_id) => ({ workspace_id, subject_id, occurred_at, entry_id }));
  });
  await tx
    .insertInto('audit_subject')
    .values(subjects)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
