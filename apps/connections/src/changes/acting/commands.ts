import { type Actor, type ConnectionId, UserId } from '@manifold/contracts';
import { decideAccess, refuseAccess } from '../../accounts/rules.ts';
import { findActing } from '../../accounts/acting/commands.ts';
import { findConnection, keepConnection } from '../../accounts/store.ts';
import type { Tx } from '../../store.ts';
import { tallyObjects } from '../rows/store.ts';
import { changeHeldSet, type ChangeSet } from '../store.ts';
import { isByHand } from './rules.ts';

type Acting = Pick<ChangeSet, 'acting_user_id' | 'acting_connection_id'>;
const organization: Acting = { acting_user_id: null, acting_connection_id: null };

/** In whose name a set is written that this actor has said yes to; fixed with the approval. */
export async function decideActing(tx: Tx, set: ChangeSet, actor: Actor): Promise<Acting> {
  const user = UserId.safeParse(actor.id);
  if (!isByHand(set, actor) || !user.success) return organization;
  const own = await findConnection(tx, set.connection_id);
  if (own?.kind !== 'ORGANIZATION') return organization;
  const written = (await tallyObjects(tx, set.id)).filter(({ changed }) => changed > 0);
  const acting = await findActing(tx, {
    connectionId: set.connection_id,
    userId: user.data,
    objects: written.map(({ object }) => object),
  });
  return acting === undefined
    ? organization
    : { acting_user_id: user.data, acting_connection_id: acting.id };
}

/** What a set is written through; it stays until the transaction ends. Undefined: it was removed. */
export async function keepWriter(tx: Tx, set: ChangeSet): Promise<ConnectionId | undefined> {
  if (set.acting_connection_id === null) return set.connection_id;
  return (await keepConnection(tx, set.acting_connection_id))?.id;
}

/** Throws when a person's own connection does not work: the set waits for it like any other. */
export async function requireWriter(tx: Tx, set: ChangeSet): Promise<void> {
  if (set.acting_connection_id === null) return;
  const connection = await findConnection(tx, set.acting_connection_id);
  if (connection === undefined) return;
  const access = decideAccess(connection);
  if (access.outcome === 'refuse') throw refuseAccess(connection, access.reason);
}

/** The connection somebody had lent their name with is gone: what is left needs a yes of its own. */
export async function endActing(tx: Tx, set: ChangeSet): Promise<boolean> {
  const waits = { state: 'awaiting_approval', reason: 'connection_missing' } as const;
  return changeHeldSet(tx, set, { ...waits, ...organization });
}
