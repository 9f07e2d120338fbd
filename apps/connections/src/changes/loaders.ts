import type { ChangeId, ChangeSetId, ConnectionId, WriteStepId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createGroupLoader, createLoader, type RequestContext } from '@manifold/subgraph';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import type { Step } from '../writes/store.ts';
import { type ChangeRow, listChangesByIds } from './rows/shown/store.ts';
import { type ChangeTally, tallyChanges } from './rows/store.ts';
import { type ChangeSet, listChangeSetsByIds, listUndosOf } from './store.ts';

/** One batched query per request for sets and changes named anywhere in the graph. */
export const createChangeSetLoaders = (
  { db }: { db: Db },
  { workspaceId }: Pick<RequestContext, 'workspaceId'>,
) => ({
  changeSets: createLoader<ChangeSetId, ChangeSet>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listChangeSetsByIds(tx, ids)),
    ({ id }) => id,
  ),
  changes: createLoader<ChangeId, ChangeRow>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listChangesByIds(tx, ids)),
    ({ id }) => id,
  ),
  changeTallies: createGroupLoader<ChangeSetId, ChangeTally>(
    (ids) => withWorkspace(db, workspaceId, (tx) => tallyChanges(tx, ids)),
    ({ change_set_id }) => change_set_id,
  ),
  undosOfSet: createGroupLoader<ChangeSetId, ChangeSet>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listUndosOf(tx, ids)),
    ({ undoes_id }) => undoes_id ?? '',
  ),
});

export type ChangeSetContext = RequestContext & {
  loaders: ReturnType<typeof createChangeSetLoaders> & {
    connections: { load(id: ConnectionId): Promise<Connection | null> };
    writeSteps: { load(id: WriteStepId): Promise<Step | null> };
  };
};
