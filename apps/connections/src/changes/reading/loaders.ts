import type {
  ChangeId,
  ChangeSetId,
  ConnectionId,
  PipedriveObject,
  WorkspaceId,
  WriteStepId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createGroupLoader, createLoader, type RequestContext } from '@manifold/subgraph';
import { listConnectionsByIds } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import { type ForecastDeps, type Queue, readQueue } from '../../budget/forecast/commands.ts';
import { type Catalogue, findCatalogues } from '../../fields/store.ts';
import type { Db } from '../../store.ts';
import type { Step } from '../../writes/store.ts';
import { soonAfter } from '../holding/rules.ts';
import { type Hold, listHolds, listPaces } from '../holding/store.ts';
import { type ChangeRow, listChangesByIds } from '../rows/shown/store.ts';
import { type ChangeTally, tallyChanges } from '../rows/store.ts';
import { type ChangeSet, listChangeSetsByIds, listUndosOf } from '../store.ts';

/** What is known of the fields of one connection. */
interface CataloguesOf {
  id: ConnectionId;
  byObject: ReadonlyMap<PipedriveObject, Catalogue>;
}

/** One batched query per request for sets and changes named anywhere in the graph. */
export const createChangeSetLoaders = (
  deps: ForecastDeps,
  { workspaceId }: Pick<RequestContext, 'workspaceId'>,
) => ({
  ...createReadLoaders(deps, workspaceId),
  ...createHoldLoaders(deps, workspaceId),
  /** What waits for the API, read once for all sets of a connection. */
  queues: createLoader<ConnectionId, QueueOf>(
    (ids) => readQueues(deps, workspaceId, ids),
    ({ id }) => id,
  ),
});

interface QueueOf extends Queue {
  id: ConnectionId;
}

async function readQueues(
  deps: ForecastDeps,
  workspaceId: WorkspaceId,
  ids: readonly ConnectionId[],
): Promise<QueueOf[]> {
  const known = await withWorkspace(deps.db, workspaceId, (tx) => listConnectionsByIds(tx, ids));
  const queues: QueueOf[] = [];
  for (const connection of known) {
    queues.push({ id: connection.id, ...(await readQueue(deps, connection)) });
  }
  return queues;
}

const createReadLoaders = ({ db }: { db: Db }, workspaceId: WorkspaceId) => ({
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
  cataloguesOf: createLoader<ConnectionId, CataloguesOf>(
    (ids) =>
      withWorkspace(db, workspaceId, async (tx) => {
        const known: CataloguesOf[] = [];
        for (const id of ids) known.push({ id, byObject: await findCatalogues(tx, id) });
        return known;
      }),
    ({ id }) => id,
  ),
  undosOfSet: createGroupLoader<ChangeSetId, ChangeSet>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listUndosOf(tx, ids)),
    ({ undoes_id }) => undoes_id ?? '',
  ),
});

type PaceOf = Awaited<ReturnType<typeof listPaces>>[number];

/** What keeps sets that are being written, and how fast they are. */
const createHoldLoaders = ({ db, now }: ForecastDeps, workspaceId: WorkspaceId) => ({
  holds: createLoader<ChangeSetId, Hold>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listHolds(tx, ids, soonAfter(now()))),
    ({ change_set_id }) => change_set_id,
  ),
  paces: createLoader<ChangeSetId, PaceOf>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listPaces(tx, ids)),
    ({ change_set_id }) => change_set_id,
  ),
});

export type ChangeSetContext = RequestContext & {
  loaders: ReturnType<typeof createChangeSetLoaders> & {
    connections: { load(id: ConnectionId): Promise<Connection | null> };
    writeSteps: { load(id: WriteStepId): Promise<Step | null> };
  };
};
