import type { ConnectionId } from '@manifold/contracts';
import { createOnce, withWorkspace } from '@manifold/database';
import type { Asker } from '../../accounts/connecting/connecting.ts';
import { requireFound } from '../../accounts/rules.ts';
import { findConnection } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import type { Tx } from '../../store.ts';
import type { OauthDeps } from '../beginning.ts';
import type { OauthState } from '../tables.ts';
import { makeConnection } from './making.ts';
import { CLAIM_MS, decideCompletion, refuseCompletion } from './rules.ts';
import { hashOfCode } from './sealing.ts';
import { lockReturned, setCompletion } from './store.ts';

export interface CompleteInput {
  /** From the page or address the browser ended at. */
  code: string;
  idempotencyKey?: string | undefined;
}

/** Makes the connection somebody began: by the same person, in the same workspace, once. */
export async function completeConnection(
  deps: OauthDeps,
  input: CompleteInput,
  asker: Asker,
): Promise<Connection> {
  const claimed = await claimReturned(deps, input, asker);
  if ('made' in claimed) {
    const { made } = claimed;
    const kept = await withWorkspace(deps.db, asker.workspaceId, (tx) => findConnection(tx, made));
    return requireFound(kept, made);
  }
  return makeConnection(deps, claimed.returned);
}

/** Takes the consent for this caller alone, or tells which connection a repeat led to. */
async function claimReturned(
  { db, vault, now }: OauthDeps,
  { code, idempotencyKey }: CompleteInput,
  asker: Asker,
): Promise<{ returned: OauthState } | { made: ConnectionId }> {
  const { workspaceId } = asker;
  const codeHash = hashOfCode(vault, code);
  const once = {
    workspaceId,
    operation: 'completeConnection',
    key: idempotencyKey,
    input: { codeHash },
    now: now(),
    parseId: (text: string) => text,
  };
  return withWorkspace(db, workspaceId, async (tx) => {
    const returned = await lockReturned(tx, workspaceId, codeHash);
    let claimed: OauthState | undefined;
    const claim = async () => {
      claimed = await claimIt(tx, returned, { asker, now: now() });
      return claimed.id;
    };
    const { repeated } = await createOnce(tx, once, claim);
    const isOwn = repeated && returned?.user_id === asker.userId;
    if (isOwn && returned.connection_id !== null) return { made: returned.connection_id };
    // the first try did not get to a connection
    if (repeated) await claim();
    if (claimed === undefined) throw refuseCompletion('unknown');
    return { returned: claimed };
  });
}

async function claimIt(
  tx: Tx,
  returned: OauthState | undefined,
  { asker, now }: { asker: Asker; now: Date },
): Promise<OauthState> {
  const found = decideCompletion(returned, asker, now);
  if (found !== 'complete') throw refuseCompletion(found);
  if (returned === undefined) throw refuseCompletion('unknown');
  const claim = {
    by_admin: asker.byAdmin,
    claimed_until: new Date(now.getTime() + CLAIM_MS),
    attempts: returned.attempts + 1,
  };
  await setCompletion(tx, returned, claim);
  return { ...returned, ...claim };
}
