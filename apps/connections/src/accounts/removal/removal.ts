import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionDeleted, type ConnectionId, type WriteRequestId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { type Origin, publish } from '@manifold/messaging';
import { type Authorization, type CallReport, createPipedriveClient } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { FinishedCall } from '../../budget/commands.ts';
import { recallActing, recallActingInPages } from '../../changes/applying/recall.ts';
import { handOnConsents } from '../../fields/external-id/store.ts';
import { removeCatalogues } from '../../fields/store.ts';
import type { RegisteredApp } from '../../oauth/apps.ts';
import type { Db, Tx } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { changeAlone } from '../../webhooks/leases/commands.ts';
import { removeReceipts } from '../../webhooks/store.ts';
import { removeSubscriptions } from '../../webhooks/subscription.ts';
import { cancelRequestsOf } from '../../writes/commands.ts';
import { disableConnection } from '../commands.ts';
import { openSecret, openToken } from '../tokens/credential.ts';
import { finishedCall } from '../calling/finished-call.ts';
import { releaseGrant } from '../grants/commands.ts';
import { type Manager, staysSwitchedOff } from '../ownership/rules.ts';
import { putSwitchedOff } from '../ownership/store.ts';
import { refreshUnderLock } from '../tokens/refresh.ts';
import { lockConnection, removeConnection } from '../store.ts';
import type { Connection } from '../tables.ts';

const CALL_TIMEOUT_MS = 8_000;
/** Of one transaction. */
const BATCH = 1_000;
const MOST_REQUESTS = 50;
const POLL_MS = 250;
const MOST_LOOKS = 40;

export interface RemovalDeps {
  db: Db;
  vault: Vault;
  apps: readonly RegisteredApp[];
  allowedApiDomains: readonly string[];
  onCall: (call: FinishedCall) => Promise<void>;
  now: () => Date;
  log: Logger;
}

/**
 * Takes a connection away: its subscription, its grant unless another workspace uses it too, and what
 * this service kept for it. Pipedrive being out of reach does not keep a connection alive.
 */
export async function deleteConnection(
  deps: RemovalDeps,
  id: ConnectionId,
  asker: Origin & Manager,
): Promise<Connection> {
  const { db, log, now } = deps;
  const { workspaceId } = asker;
  // nobody looks after its subscription from here on, and a deletion that stops half-way shows
  const connection = await withWorkspace(db, workspaceId, (tx) =>
    disableConnection(tx, id, { asker, now: now() }),
  );
  await unsubscribe(deps, connection).catch((error: unknown) =>
    log.warn({ err: error, connection: id }, 'webhook not removed at Pipedrive'),
  );
  await recallActingInPages(deps, { workspaceId, connectionId: id });
  await emptyQueues(deps, id, asker);
  await withWorkspace(db, workspaceId, async (tx) => {
    // sets before connections, as wherever both are locked
    await recallActing(tx, id, now());
    // nobody adds a write to it from here on
    const last = await lockConnection(tx, id);
    await cancelRequestsOf(tx, id, { asker, now: now() });
    await handOnConsents(tx, id);
    if (last === undefined || !(await removeConnection(tx, id))) return;
    if (staysSwitchedOff(last, asker))
      await putSwitchedOff(tx, { ...ownedBy(last), removed_at: now() });
    await removeReceipts(tx, workspaceId, id, BATCH);
    await removeCatalogues(tx, id);
    await publish(tx, ConnectionDeleted, {
      origin: asker,
      key: id,
      payload: { connectionId: id, companyId: connection.company_id },
      now: now(),
    });
  });
  if (connection.grant_id !== null) await releaseGrant(deps, connection.grant_id);
  return connection;
}

const ownedBy = ({
  workspace_id,
  company_id,
  pipedrive_user_id,
  user_id,
  disabled_by,
}: Connection) => ({ workspace_id, company_id, pipedrive_user_id, user_id, disabled_by });

/** What may be much goes in small transactions; what comes meanwhile goes with the connection. */
async function emptyQueues(
  { db, now }: RemovalDeps,
  id: ConnectionId,
  asker: Origin,
): Promise<void> {
  const { workspaceId } = asker;
  const scoped = <Result>(work: (tx: Tx) => Promise<Result>) =>
    withWorkspace(db, workspaceId, work);
  let after: WriteRequestId | undefined;
  do {
    const page = { after, limit: MOST_REQUESTS };
    after = await scoped((tx) => cancelRequestsOf(tx, id, { asker, now: now(), page }));
  } while (after !== undefined);
  let removed: number;
  do removed = await scoped((tx) => removeReceipts(tx, workspaceId, id, BATCH));
  while (removed === BATCH);
}

/** Straight to Pipedrive: a connection that is switched off has a subscription all the same. */
async function unsubscribe(deps: RemovalDeps, connection: Connection): Promise<void> {
  const { allowedApiDomains, onCall } = deps;
  const authorization = await storedAuthorization(deps, connection);
  if (authorization === undefined) {
    deps.log.warn({ connection: connection.id }, 'webhook not removed: no credential');
    return;
  }
  const calls: CallReport[] = [];
  const client = createPipedriveClient({
    apiDomain: connection.api_domain,
    allowedApiDomains,
    authorization: () => Promise.resolve(authorization),
    timeoutMs: CALL_TIMEOUT_MS,
    onCall: (call) => void calls.push(call),
  });
  await waitForTurn(() =>
    changeAlone(deps.db, connection, () => removeSubscriptions(deps, client, connection)),
  );
  const use = { lane: 'interactive', feature: 'webhook_upkeep' } as const;
  for (const call of calls) await onCall(finishedCall(connection, use, call));
}

/** A check under way ends in a moment, and then there is no other: the connection is switched off. */
async function waitForTurn(work: () => Promise<unknown>): Promise<void> {
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    if ((await work()) !== 'busy') return;
    await sleep(POLL_MS);
  }
  throw new Error('The subscription of the connection is being changed all the time');
}

/** A token that ran out is renewed first: it may be long since the connection was used. */
async function storedAuthorization(
  deps: RemovalDeps,
  connection: Connection,
): Promise<Authorization | undefined> {
  const { grant_id: grantId } = connection;
  if (grantId === null) {
    const token = openSecret(deps.vault, connection, 'access_token');
    return token === undefined ? undefined : { kind: 'apiToken', token };
  }
  const grant = await refreshUnderLock(deps, { grantId, rejectedVersion: undefined });
  const token = grant && openToken(deps.vault, grant, 'access_token');
  return token === undefined ? undefined : { kind: 'bearer', token };
}
