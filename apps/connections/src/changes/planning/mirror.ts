import { type ChangeSetId, WriteCommand } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Tx } from '../../store.ts';
import { actorOf } from '../../writes/askers/rules.ts';
import { storeWrite } from '../../writes/submitting.ts';
import { type ChangeRow, listChanges } from '../rows/shown/store.ts';
import { changeHeldSet, type ChangeSet } from '../store.ts';
import type { Stretch, Work } from '../work.ts';

const ROWS_AT_ONCE = 100;

/** Gives the next applied changes of a set their counterparts in its undo. */
export async function mirrorBatch({ deps, set }: Work): Promise<Stretch> {
  const { undoes_id: sourceId, undo_cursor: cursor } = set;
  if (sourceId === null) throw new Error(`Change set ${set.id} undoes nothing`);
  return withWorkspace(deps.db, set.workspace_id, async (tx): Promise<Stretch> => {
    const rows = await listApplied(tx, sourceId, cursor);
    const page = rows.slice(0, ROWS_AT_ONCE);
    const next = rows.length > ROWS_AT_ONCE ? (page.at(-1)?.id ?? null) : null;
    if (!(await changeHeldSet(tx, set, { undo_cursor: next }))) return { outcome: 'over' };
    const now = deps.now();
    for (const row of page) {
      const command = commandOf(set, row);
      await storeWrite({ tx, vault: deps.vault }, command, { now, undoes: row });
    }
    return { outcome: 'more', afterMs: 0 };
  });
}

/** One more than a page tells whether others follow. */
const listApplied = (tx: Tx, setId: ChangeSetId, cursor: string | null) =>
  listChanges(
    tx,
    {
      setId,
      filter: {
        states: { ofSteps: ['applied'] },
        effects: ['create', 'update', 'delete', 'merge'],
      },
    },
    {
      limit: ROWS_AT_ONCE + 1,
      backwards: false,
      cursor: cursor === null || cursor === '' ? undefined : [cursor],
    },
  );

/** What is written is known when it is planned; here it is said which record it is about. */
const commandOf = (set: ChangeSet, row: ChangeRow): WriteCommand =>
  WriteCommand.parse({
    workspaceId: set.workspace_id,
    connectionId: set.connection_id,
    actor: actorOf(set),
    correlationId: set.correlation_id,
    idempotencyKey: `${set.id}|${row.id}`,
    cause: { service: 'connections', type: 'Change', id: row.id },
    lane: 'bulk',
    changeSetId: set.id,
    steps: [
      {
        name: 'undo',
        operation: row.effect === 'create' ? 'delete' : 'upsert',
        object: row.object,
        identity: [
          { kind: 'pipedrive_id', value: row.step_pipedrive_id ?? row.pipedrive_id ?? '' },
        ],
        fields: {},
      },
    ],
  });
