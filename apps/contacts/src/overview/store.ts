import type { DataSourceId, WorkspaceId } from '@manifold/contracts';
import { sql } from 'kysely';
import type { Db } from '../store.ts';

/** Contacts a source made that are still here: all of them, and those made since. */
export async function countAdded(
  tx: Db,
  workspaceId: WorkspaceId,
  { dataSourceId, since }: { dataSourceId: DataSourceId; since: Date },
): Promise<{ added: number; recently: number }> {
  const { rows } = await sql<{ added: number; recently: number }>`
    select count(*)::int as added,
      (count(*) filter (where created_at >= ${since}))::int as recently
    from contact where workspace_id = ${workspaceId} and added_by = ${dataSourceId}`.execute(tx);
  return rows[0] ?? { added: 0, recently: 0 };
}

/** The same by day in UTC; a day without any is left out. */
export async function listAddedByDay(
  tx: Db,
  workspaceId: WorkspaceId,
  { dataSourceId, since }: { dataSourceId: DataSourceId; since: Date },
): Promise<{ date: string; count: number }[]> {
  const { rows } = await sql<{ date: string; count: number }>`
    select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD') as date, count(*)::int as count
    from contact where workspace_id = ${workspaceId} and added_by = ${dataSourceId}
      and created_at >= ${since}
    group by 1 order by 1`.execute(tx);
  return rows;
}
