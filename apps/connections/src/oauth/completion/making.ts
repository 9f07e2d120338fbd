import { setTimeout as sleep } from 'node:timers/promises';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import {
  type CallReport,
  type Grant,
  type Me,
  parseApiDomain,
  refreshGrant,
} from '@manifold/pipedrive';
import {
  finishConnecting,
  identify,
  recordConnecting,
} from '../../accounts/connecting/connecting.ts';
import { type Kept, storeConnection } from '../../accounts/connecting/granting.ts';
import { keepGrant, releaseGrant } from '../../accounts/grants/commands.ts';
import type { RemovalDeps } from '../../accounts/removal/removal.ts';
import { refusalOf, unreachable } from '../../accounts/rules.ts';
import type { SetupDeps } from '../../accounts/connecting/setup.ts';
import type { Connection } from '../../accounts/tables.ts';
import { type RegisteredApp, requireApp } from '../apps.ts';
import { tradeCode } from '../trading.ts';
import type { OauthState } from '../tables.ts';
import { endAttempt } from './ending.ts';
import { openCode, openTraded, sealGrant } from './sealing.ts';
import { setCompletion } from './store.ts';

export type MakingDeps = SetupDeps & RemovalDeps;

/**
 * Trades the code, keeps the grant, and sets the connection up. What was traded is stored before
 * anything else is asked, so that a stop at any point loses no grant: upkeep goes on from there.
 */
export async function makeConnection(deps: MakingDeps, begun: OauthState): Promise<Connection> {
  const kept = openTraded(deps.vault, begun);
  let grant = kept;
  let known: Known;
  try {
    const app = requireApp(deps.apps, begun.app_name);
    grant ??= await tradeOnce(deps, begun, app);
    known = await identifyHolder(deps, grant, {
      app,
      renew: kept && (() => renewKept(deps, begun, { app, grant: kept })),
    });
  } catch (error) {
    if (error instanceof Refusal) await endAttempt(deps, begun, { refusal: error, grant });
    throw error;
  }
  return keepTraded(deps, begun, known);
}

async function tradeOnce(deps: MakingDeps, begun: OauthState, app: RegisteredApp): Promise<Grant> {
  const code = openCode(deps.vault, begun);
  if (code === undefined) throw new Error('A consent that was claimed has neither code nor grant');
  const grant = await tradeCode(deps, app, code);
  await storeTraded(deps, begun, grant);
  return grant;
}

/** Undefined when Pipedrive has ended it. */
async function renewKept(
  deps: MakingDeps,
  begun: OauthState,
  { app, grant }: { app: RegisteredApp; grant: Grant },
): Promise<Grant | undefined> {
  const renewed = await refreshGrant(app, grant);
  if (renewed.outcome === 'unavailable') throw unreachable(renewed.cause);
  if (renewed.outcome !== 'ok') return undefined;
  await storeTraded(deps, begun, renewed.grant);
  return renewed.grant;
}

/** Also when another attempt was refused the code meanwhile, and ended it. */
const storeTraded = (deps: MakingDeps, begun: OauthState, grant: Grant): Promise<void> =>
  insist(deps, () =>
    withWorkspace(deps.db, begun.workspace_id, (tx) =>
      setCompletion(tx, begun, {
        sealed_grant: sealGrant(deps.vault, begun, grant),
        sealed_code: null,
        finished_at: null,
      }),
    ),
  );

const MOST_TRIES = 20;
const PAUSE_MS = 250;

/** The code is spent and the former grant may have ended with it: a database gone for a moment must not lose the new one. */
async function insist({ log }: MakingDeps, store: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await store();
    } catch (error) {
      log.warn({ err: error, tries }, 'a traded grant was not stored; storing it again');
      if (tries === MOST_TRIES) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** A grant, and what Pipedrive says of who gave it. */
interface Known {
  app: RegisteredApp;
  grant: Grant;
  apiDomain: string;
  me: Me;
  calls: CallReport[];
}

/** What was kept may be older than an access token lives: a limit of the day lasts longer. */
async function identifyHolder(
  deps: MakingDeps,
  grant: Grant,
  { app, renew }: { app: RegisteredApp; renew?: (() => Promise<Grant | undefined>) | undefined },
): Promise<Known> {
  const apiDomain = requireApiDomain(deps, grant);
  const authorization = { kind: 'bearer', token: grant.accessToken } as const;
  const { answer, calls } = await identify(deps, { apiDomain, authorization });
  if (answer.outcome === 'ok') return { app, grant, apiDomain, me: answer.data, calls };
  const renewed = answer.outcome === 'unauthorized' ? await renew?.() : undefined;
  if (renewed === undefined) throw refusalOf(answer);
  return identifyHolder(deps, renewed, { app });
}

async function keepTraded(deps: MakingDeps, begun: OauthState, known: Known): Promise<Connection> {
  const kept = await keepBoth(deps, begun, known);
  const { connection, formerGrantId } = kept;
  // only now: until the new one is committed the former may be all there is
  if (formerGrantId !== null) await releaseGrant(deps, formerGrantId);
  await recordConnecting(deps, connection, known.calls);
  return finishConnecting(deps, connection);
}

/** Keeps the grant and the connection that uses it; a grant no connection uses is given back. */
async function keepBoth(
  deps: MakingDeps,
  begun: OauthState,
  { app, grant: traded, apiDomain, me }: Known,
): Promise<Kept> {
  const options = { vault: deps.vault, now: deps.now() };
  const { grantId, kept } = await acrossWorkspaces(deps.db, async (tx) => {
    const grant = await keepGrant(tx, { app, grant: traded, me, apiDomain }, options);
    const made = {
      workspaceId: begun.workspace_id,
      userId: begun.user_id,
      byAdmin: begun.by_admin,
      kind: begun.kind,
      credential: { method: 'OAUTH', grant, app } as const,
      me,
      apiDomain,
      acceptsLimitedVisibility: begun.accepts_limited_visibility,
      termsVersion: begun.terms_version,
      correlationId: begun.correlation_id,
    };
    const stored = await storeConnection(tx, made, options);
    const connectionId = stored instanceof Refusal ? null : stored.connection.id;
    await setCompletion(tx, begun, {
      sealed_grant: null,
      finished_at: options.now,
      connection_id: connectionId,
    });
    return { grantId: grant.id, kept: stored };
  });
  if (!(kept instanceof Refusal)) return kept;
  await releaseGrant(deps, grantId);
  throw kept;
}

function requireApiDomain({ allowedApiDomains }: MakingDeps, grant: Grant): string {
  const apiDomain = parseApiDomain(grant.apiDomain, allowedApiDomains);
  if (apiDomain !== undefined) return apiDomain;
  throw new Refusal('precondition', 'The grant names an API address that is not Pipedrive’s', {
    reason: 'pipedrive_refused',
    fix: 'For a local Pipedrive, name its origin in PIPEDRIVE_API_DOMAINS.',
  });
}
