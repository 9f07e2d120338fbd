import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { mendGrant } from '../commands.ts';
import { type ConnectingDeps, identify, recordConnecting } from '../connecting.ts';
import { openToken } from '../credential.ts';
import { refreshUnderLock, type TokenDeps } from '../refresh.ts';
import { findConnection, setConnection } from '../store.ts';
import type { Connection, StoredGrant } from '../tables.ts';
import { releaseGrant } from './commands.ts';
import { idleBefore, recheckAt } from './rules.ts';
import { leaseUnused, listIdleGrants } from './lifetime/store.ts';

export type GrantUpkeepDeps = TokenDeps & Pick<ConnectingDeps, 'onCall'>;

/** Tries a grant the API turned away again; when it works, so do its connections. */
export async function recheckGrant(
  deps: GrantUpkeepDeps,
  workspaceId: WorkspaceId,
  id: ConnectionId,
): Promise<void> {
  const { db, now } = deps;
  const found = await withWorkspace(db, workspaceId, (tx) => findConnection(tx, id));
  if (found?.status !== 'NEEDS_REAUTH' || found.broken_since === null) return;
  const { grant_id: grantId } = found;
  if (grantId === null) return;
  if (await doesWork(deps, found, grantId)) {
    await acrossWorkspaces(db, (tx) => mendGrant(tx, { id: grantId, now: now() }));
    return;
  }
  const upkeepAt = recheckAt(found.broken_since, now());
  await withWorkspace(db, workspaceId, (tx) => setConnection(tx, id, { upkeep_at: upkeepAt }));
}

/** With the token there is, and where that is turned away with a new one. */
async function doesWork(
  deps: GrantUpkeepDeps,
  connection: Connection,
  grantId: string,
): Promise<boolean> {
  const grant = await refreshUnderLock(deps, { grantId, rejectedVersion: undefined });
  if (grant === undefined) return false;
  const outcome = await tryGrant(deps, connection, grant);
  if (outcome !== 'unauthorized') return outcome === 'ok';
  const rejectedVersion = grant.token_version;
  const newer = await refreshUnderLock(deps, { grantId, rejectedVersion });
  return newer !== undefined && (await tryGrant(deps, connection, newer)) === 'ok';
}

async function tryGrant(deps: GrantUpkeepDeps, connection: Connection, grant: StoredGrant) {
  const token = openToken(deps.vault, grant, 'access_token') ?? '';
  const { answer, calls } = await identify(deps, {
    apiDomain: grant.api_domain,
    authorization: { kind: 'bearer', token },
  });
  await recordConnecting(deps, connection, calls);
  return answer.outcome;
}

const BATCH = 20;
/** Longer than revoking takes; a replica that dies leaves it to another. */
const RELEASE_LEASE_MS = 60_000;
/** Whoever just took its last connection away gives it back themselves. */
const LEFT_ALONE_MS = 60_000;

/** Gives back what nobody uses any more, and renews what would end for lying idle. */
export async function tendGrants(deps: GrantUpkeepDeps): Promise<void> {
  const now = deps.now();
  const until = new Date(now.getTime() + RELEASE_LEASE_MS);
  const before = new Date(now.getTime() - LEFT_ALONE_MS);
  const unused = await acrossWorkspaces(deps.db, (tx) =>
    leaseUnused(tx, { now, until, before, limit: BATCH }),
  );
  for (const id of unused) await releaseGrant(deps, id);
  const idle = await acrossWorkspaces(deps.db, (tx) =>
    listIdleGrants(tx, { before: idleBefore(now), limit: BATCH }),
  );
  for (const grant of idle) await renewIdle(deps, grant);
}

/** Of connections that are switched off, for instance. */
async function renewIdle(deps: GrantUpkeepDeps, { id, token_version }: StoredGrant): Promise<void> {
  try {
    await refreshUnderLock(deps, { grantId: id, rejectedVersion: token_version });
  } catch (error) {
    const reason = error instanceof Refusal ? error.detail.reason : undefined;
    deps.log.warn({ grant: id, reason, err: reason ? undefined : error }, 'idle grant not renewed');
  }
}
