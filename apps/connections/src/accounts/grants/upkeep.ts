import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { mendApiToken, mendGrant } from '../commands.ts';
import { type ConnectingDeps, identify, recordConnecting } from '../connecting/connecting.ts';
import { openApiToken, openToken } from '../tokens/credential.ts';
import { refreshUnderLock, type TokenDeps } from '../tokens/refresh.ts';
import { findConnection, setConnection } from '../store.ts';
import type { Connection, StoredGrant } from '../tables.ts';
import { releaseGrant } from './commands.ts';
import { idleBefore, recheckAt } from './rules.ts';
import { leaseUnused, listIdleGrants } from './lifetime/store.ts';
import { setCause } from './store.ts';

export type GrantUpkeepDeps = TokenDeps & Pick<ConnectingDeps, 'onCall'>;

/**
 * Tries a credential that was turned away again, in ever longer steps: its user may be active again.
 * When it works, so does every connection that broke with it.
 */
export async function recheckCredential(
  deps: GrantUpkeepDeps,
  workspaceId: WorkspaceId,
  id: ConnectionId,
): Promise<void> {
  const { db, now } = deps;
  const found = await withWorkspace(db, workspaceId, (tx) => findConnection(tx, id));
  if (found?.status !== 'NEEDS_REAUTH' || found.broken_since === null) return;
  const { grant_id: grantId, status_reason: reason, token_version: version } = found;
  if (reason === null) return;
  const verdict =
    grantId === null ? await judgeToken(deps, found) : await judgeGrant(deps, found, grantId);
  if (verdict === 'works' && grantId !== null) {
    return acrossWorkspaces(db, (tx) => mendGrant(tx, { id: grantId, reason, now: now() }));
  }
  if (verdict === 'works') {
    return withWorkspace(db, workspaceId, (tx) =>
      mendApiToken(tx, { id, version, reason, now: now() }),
    );
  }
  const upkeepAt = recheckAt(found.broken_since, now());
  await withWorkspace(db, workspaceId, async (tx) => {
    await setConnection(tx, id, { upkeep_at: upkeepAt });
    if (verdict !== 'unsure') await setCause(tx, id, { from: reason, to: verdict, now: now() });
  });
}

/** What trying tells: that it works, what keeps it from working, or nothing. */
type Verdict = 'works' | 'token_rejected' | 'user_deactivated' | 'unsure';

/** With the token there is, and where that is turned away with a new one. */
async function judgeGrant(
  deps: GrantUpkeepDeps,
  connection: Connection,
  grantId: string,
): Promise<Verdict> {
  // an app that was removed left nothing to try
  if (connection.status_reason === 'app_removed') return 'unsure';
  const grant = await refreshUnderLock(deps, { grantId, rejectedVersion: undefined });
  if (grant === undefined) return 'token_rejected';
  const verdict = await tryGrant(deps, connection, grant);
  if (verdict !== 'token_rejected') return verdict;
  const rejectedVersion = grant.token_version;
  const newer = await refreshUnderLock(deps, { grantId, rejectedVersion });
  return newer === undefined ? 'token_rejected' : tryGrant(deps, connection, newer);
}

function judgeToken(deps: GrantUpkeepDeps, connection: Connection): Promise<Verdict> {
  const { authorization } = openApiToken(deps.vault, connection);
  return tryCredential(deps, connection, { apiDomain: connection.api_domain, authorization });
}

function tryGrant(deps: GrantUpkeepDeps, connection: Connection, grant: StoredGrant) {
  const token = openToken(deps.vault, grant, 'access_token') ?? '';
  const authorization = { kind: 'bearer', token } as const;
  return tryCredential(deps, connection, { apiDomain: grant.api_domain, authorization });
}

/** One call. A user who is still deactivated counts as one whose credential does not work. */
async function tryCredential(
  deps: GrantUpkeepDeps,
  connection: Connection,
  credential: Parameters<typeof identify>[1],
): Promise<Verdict> {
  const { answer, calls } = await identify(deps, credential);
  await recordConnecting(deps, connection, calls);
  if (answer.outcome === 'unauthorized') return 'token_rejected';
  if (answer.outcome !== 'ok') return 'unsure';
  return answer.data.active ? 'works' : 'user_deactivated';
}

/** The credential is tried while somebody waits; what cannot be told now is left to upkeep. */
export async function tryAtOnce(
  deps: GrantUpkeepDeps,
  { workspace_id: workspaceId, id }: Connection,
): Promise<Connection | undefined> {
  await recheckCredential(deps, workspaceId, id).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
    deps.log.warn({ connection: id, reason: error.detail.reason }, 'credential not tried');
  });
  return withWorkspace(deps.db, workspaceId, (tx) => findConnection(tx, id));
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
