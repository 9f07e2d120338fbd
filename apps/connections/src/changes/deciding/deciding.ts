import { ChangeSetId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { requireRole } from '@manifold/subgraph';
import { requireOwn } from '../../accounts/ownership/rules.ts';
import { findConnection } from '../../accounts/store.ts';
import type { Db, Tx } from '../../store.ts';
import { recallInPages } from '../applying/recall.ts';
import type { ChangeSetContext as Context } from '../reading/loaders.ts';
import type { ChangeSet } from '../store.ts';
import { tellProgress } from '../telling/telling.ts';

interface DecidingDeps {
  db: Db;
  now: () => Date;
  /** Tells the worker that there is something to plan or apply. */
  wakeChangeSets: () => void;
}

export type Work = (tx: Tx, now: Date) => Promise<ChangeSet>;

/** One decision about sets in one transaction; the worker looks at once. */
export async function decide(
  deps: DecidingDeps,
  context: Context,
  work: Work,
): Promise<{ changeSet: ChangeSet }> {
  requireRole(context.identity, 'MEMBER');
  const now = deps.now();
  const changeSet = await withWorkspace(deps.db, context.workspaceId, async (tx) => {
    const decided = await work(tx, now);
    await tellProgress(tx, decided, { now });
    return decided;
  });
  deps.wakeChangeSets();
  return { changeSet };
}

export type Run = (
  deps: DecidingDeps,
  context: Context,
  work: Work,
  field?: string,
) => Promise<{ changeSet: ChangeSet }>;

/** The same about a set that goes through a connection the caller may use; refused, nothing is kept. */
export const decideOwn: Run = (deps, context, work, field = 'input.id') =>
  decide(deps, context, async (tx, now) => {
    const set = await work(tx, now);
    await requireOwnSet(tx, set, { context, field });
    return set;
  });

/** The same about a set that stops: before, what the sender has of it is taken back a few at a time. */
export const decideToStop =
  (id: string): Run =>
  async (deps, context, work) => {
    requireRole(context.identity, 'MEMBER');
    const known = ChangeSetId.safeParse(id);
    const { workspaceId: workspace_id } = context;
    if (known.success) await recallInPages(deps, { workspace_id, id: known.data });
    return decide(deps, context, work);
  };

/** Refuses a set that goes through somebody else's own connection. */
export async function requireOwnSet(
  tx: Tx,
  set: Pick<ChangeSet, 'connection_id'>,
  { context, field }: { context: Context; field: string },
): Promise<void> {
  const connection = await findConnection(tx, set.connection_id);
  if (connection) requireOwn(connection, context.identity.userId, field);
}
