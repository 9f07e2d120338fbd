import { randomUUID } from 'node:crypto';
import { acrossWorkspaces } from '@manifold/database';
import { type Grant, type Me, revokeGrant } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import { appOf, type RegisteredApp } from '../../oauth/apps.ts';
import type { Db, Tx } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { grantColumns, openToken } from '../tokens/credential.ts';
import type { StoredGrant } from '../tables.ts';
import { setRelease } from './lifetime/store.ts';
import { idleUntil, releaseAgainAt } from './rules.ts';
import {
  findGrant,
  insertGrant,
  lockConnectionsOfGrant,
  lockGrantOf,
  removeGrant,
  setConnectionsOfGrant,
  setGrant,
} from './store.ts';

const REVOKE_TIMEOUT_MS = 8_000;

export interface ReleaseDeps {
  db: Db;
  vault: Vault;
  apps: readonly RegisteredApp[];
  now: () => Date;
  log: Logger;
}

/** Keeps what a user granted an app, once for all workspaces: only in a scope across workspaces. */
export async function keepGrant(
  tx: Tx,
  granted: { app: RegisteredApp; grant: Grant; me: Me; apiDomain: string },
  { vault, now }: { vault: Vault; now: Date },
): Promise<StoredGrant> {
  const { app, grant, me, apiDomain } = granted;
  const { clientId } = app;
  const holder = { clientId, companyId: me.companyId, pipedriveUserId: me.id };
  const existing = await lockGrantOf(tx, holder);
  const id = existing?.id ?? randomUUID();
  const columns = {
    ...grantColumns(vault, { id }, { grant, now }),
    api_domain: apiDomain,
    release_at: null,
  };
  if (existing !== undefined) {
    const version = existing.token_version;
    await setConnectionsOfGrant(tx, id, columns);
    return (await setGrant(tx, { id, version }, columns)) ?? existing;
  }
  const kept: StoredGrant = {
    id,
    client_id: clientId,
    company_id: me.companyId,
    pipedrive_user_id: me.id,
    ...columns,
    token_version: 1,
    created_at: now,
  };
  await insertGrant(tx, kept);
  return kept;
}

/**
 * Gives a grant back to Pipedrive when no connection of any workspace uses it. It is kept until that
 * worked, and whoever connects its user meanwhile waits: revoking later would end what they were given.
 */
export async function releaseGrant(deps: ReleaseDeps, grantId: string): Promise<void> {
  const { db, log, now } = deps;
  await acrossWorkspaces(db, async (tx) => {
    const found = await findGrant(tx, grantId);
    const grant = found && (await lockGrantOf(tx, holderOf(found)));
    if (grant?.id !== grantId) return;
    if ((await lockConnectionsOfGrant(tx, grantId)).length > 0) {
      await setRelease(tx, grantId, null);
      return;
    }
    if (await isGone(deps, grant)) await removeGrant(tx, grantId);
    else await setRelease(tx, grantId, releaseAgainAt(grant, now()));
  }).catch((error: unknown) =>
    // no connection uses it, so upkeep finds it
    log.error({ err: error, grant: grantId }, 'grant not given back'),
  );
}

const holderOf = (grant: StoredGrant) => ({
  clientId: grant.client_id,
  companyId: grant.company_id,
  pipedriveUserId: grant.pipedrive_user_id,
});

/** True when Pipedrive has ended the grant, or nothing is left to end it with. */
async function isGone({ vault, apps, log, now }: ReleaseDeps, grant: StoredGrant) {
  const app = appOf(apps, grant.client_id);
  if (app === undefined || grant.refresh_token === null || now() > idleUntil(grant)) return true;
  const token = openToken(vault, grant, 'refresh_token') ?? '';
  const revoked = await revokeGrant(
    { ...app, timeoutMs: REVOKE_TIMEOUT_MS },
    { token, hint: 'refresh_token' },
  );
  if (revoked.outcome === 'ok') return true;
  log.warn({ grant: grant.id, outcome: revoked.outcome }, 'grant not revoked');
  return false;
}
