import type { WriteStepId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { Step } from '../store.ts';

/** The steps that handed what they were to write to this one. */
export async function listCarried(tx: Db, carrier: WriteStepId): Promise<Step[]> {
  return tx
    .selectFrom('write_step')
    .selectAll()
    .where(ofThisWorkspace)
    .where('superseded_by', '=', carrier)
    .where('sealed_body', 'is not', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** The same with those that handed over to them, and so on, the oldest first. */
export async function listAllCarried(
  tx: Db,
  { workspace_id, id }: Pick<Step, 'workspace_id' | 'id'>,
): Promise<Step[]> {
  const { rows } = await sql<Step>`
    with recursive carried (id) as (
      select id from write_step
      where workspace_id = ${workspace_id} and superseded_by = ${id} and sealed_body is not null
      union
      select s.id from carried join write_step s on s.workspace_id = ${workspace_id}
        and s.superseded_by = carried.id and s.sealed_body is not null
    )
    select s.* from write_step s join carried on carried.id = s.id
    where s.workspace_id = ${workspace_id} and s.id <> ${id}
    order by s.created_at, s.id`.execute(tx);
  return rows;
}

/** Gives what a step carries to another one. */
export async function moveCarried(
  tx: Db,
  { from, to }: { from: WriteStepId; to: WriteStepId },
): Promise<void> {
  await tx
    .updateTable('write_step')
    .set({ superseded_by: to })
    .where(ofThisWorkspace)
    .where('superseded_by', '=', from)
    .execute();
}
