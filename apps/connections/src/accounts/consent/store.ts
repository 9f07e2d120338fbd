import type { ConnectionId } from '@manifold/contracts';
import type { Db } from '../../store.ts';
import type { Consent } from '../tables.ts';

export async function insertConsent(tx: Db, consent: Consent): Promise<void> {
  await tx
    .insertInto('consent')
    .values(consent)
    // two within one tick of the clock say the same
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What was accepted last for each of these connections, where terms were accepted. */
export async function listTermsAccepted(
  tx: Db,
  connectionIds: readonly ConnectionId[],
): Promise<Consent[]> {
  return tx
    .selectFrom('consent')
    .selectAll()
    .distinctOn('connection_id')
    .where('connection_id', 'in', connectionIds)
    .where('terms_version', 'is not', null)
    .orderBy('connection_id')
    .orderBy('accepted_at', 'desc')
    .execute();
}
