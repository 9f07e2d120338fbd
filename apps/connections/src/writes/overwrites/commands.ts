import {
  type ConnectionId,
  type OverwriteId,
  UserId,
  type WriteCommand,
  type WriteRequestId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import { findActing } from '../../accounts/acting/commands.ts';
import { isOwn, requireOwn } from '../../accounts/ownership/rules.ts';
import { findConnection, listOrganizationConnections } from '../../accounts/store.ts';
import type { Db, Tx } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { storeWrite } from '../submitting.ts';
import { lockOverwrite, type Overwrite, setOverwriteState } from './store.ts';
import { openLost } from './values.ts';

const BY_HAND = 'Correct the record in Pipedrive; its history there shows the earlier values.';

interface Asked {
  asker: Origin;
  id: OverwriteId;
}

/**
 * Asks for the lost values to be put back where ours still stand. Asked again, the first answer is
 * given. Undefined when there is no such overwrite.
 */
export async function restoreOverwrite(
  { db, vault }: { db: Db; vault: Vault },
  { asker, id }: Asked,
  now: Date,
): Promise<{ overwrite: Overwrite; writeRequestId: WriteRequestId } | undefined> {
  return withWorkspace(db, asker.workspaceId, async (tx) => {
    const overwrite = await lockOverwrite(tx, id);
    if (!overwrite) return undefined;
    if (overwrite.restored_by !== null) {
      return { overwrite, writeRequestId: overwrite.restored_by };
    }
    const user = UserId.safeParse(asker.actor.id).data;
    const connectionId = await connectionFor(tx, overwrite, user);
    const command = restoring(vault, overwrite, { asker, connectionId, actingUserId: user });
    const { writeRequestId } = await storeWrite({ tx, vault }, command, {
      now,
      withValues: true,
    }).catch(refuseId);
    const change = { state: 'restored', closed_at: now, restored_by: writeRequestId } as const;
    await setOverwriteState(tx, id, change);
    return { overwrite: { ...overwrite, ...change }, writeRequestId };
  });
}

/** Whoever asked has given nothing but the id, and cannot give another value. */
function refuseId(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  const isOfValue = error.detail.field?.startsWith('steps.') === true;
  throw new Refusal(error.kind, error.message, {
    ...error.detail,
    field: 'input.id',
    ...(isOfValue ? { fix: BY_HAND } : {}),
  });
}

/** Says that what was lost need not come back. Undefined when there is no such overwrite. */
export async function dismissOverwrite(
  db: Db,
  { asker, id }: Asked,
  now: Date,
): Promise<Overwrite | undefined> {
  return withWorkspace(db, asker.workspaceId, async (tx) => {
    const overwrite = await lockOverwrite(tx, id);
    if (overwrite?.state !== 'open') return overwrite;
    const change = { state: 'dismissed', closed_at: now, restored_by: null } as const;
    await setOverwriteState(tx, id, change);
    return { ...overwrite, ...change };
  });
}

/** The one it was overwritten through; of another person's own, the organization's in its place. */
async function connectionFor(
  tx: Tx,
  overwrite: Overwrite,
  user: UserId | undefined,
): Promise<ConnectionId> {
  const { connection_id: id, company_id } = overwrite;
  const named = await findConnection(tx, id);
  if (named !== undefined && isOwn(named, user ?? '')) return id;
  // one of their own is taken in its place as the write is stored
  const objects = [overwrite.object];
  if (user !== undefined && (await findActing(tx, { connectionId: id, userId: user, objects }))) {
    return id;
  }
  const shared = await listOrganizationConnections(tx, [company_id]);
  const other = shared.find(({ status }) => status === 'ACTIVE') ?? shared[0];
  if (other === undefined && named !== undefined) requireOwn(named, user ?? '', 'input.id');
  return other?.id ?? id;
}

interface Restoring {
  asker: Origin;
  connectionId: ConnectionId;
  /** What somebody does by hand is theirs in Pipedrive too, where they have a connection. */
  actingUserId: UserId | undefined;
}

function restoring(
  vault: Vault,
  overwrite: Overwrite,
  { asker, connectionId, actingUserId }: Restoring,
): WriteCommand {
  const lost = openLost(vault, overwrite);
  if (lost === undefined) {
    throw new Refusal('precondition', `The values of overwrite ${overwrite.id} are not kept`, {
      reason: 'undo_not_available',
      field: 'input.id',
      fix: BY_HAND,
    });
  }
  return {
    workspaceId: overwrite.workspace_id,
    connectionId,
    ...(actingUserId === undefined ? {} : { actingUserId }),
    actor: asker.actor,
    correlationId: asker.correlationId,
    idempotencyKey: `restore|${overwrite.id}`,
    cause: { service: 'connections', type: 'Overwrite', id: overwrite.id },
    lane: 'interactive',
    steps: [
      {
        name: 'restore',
        operation: 'update',
        object: overwrite.object,
        identity: [{ kind: 'pipedrive_id', value: overwrite.pipedrive_id }],
        fields: lost.theirs,
        createOnlyFields: {},
        references: {},
        existing: 'update',
        guard: 'always',
        survivor: [],
        onlyWhere: lost.ours,
      },
    ],
  };
}
