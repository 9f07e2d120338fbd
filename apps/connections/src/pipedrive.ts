import type { Logger } from 'pino';
import { createPipedriveAccess } from './accounts/client.ts';
import { admitCall, type FinishedCall, type PlannedCall, recordCall } from './budget/commands.ts';
import { planOf } from './budget/rules.ts';
import type { Config } from './config.ts';
import type { Db } from './store.ts';
import { createVault } from './vault/seal.ts';

/** Everything that has to do with Pipedrive, made from the environment: vault, budget, access. */
export function connectPipedrive(
  env: Config,
  { db, log, now }: { db: Db; log: Logger; now: () => Date },
) {
  const plan = planOf({
    plan: env.API_PLAN,
    seats: env.API_SEATS,
    dailyTokens: env.API_DAILY_TOKENS,
  });
  const pipedrive = {
    db,
    vault: createVault(env.MASTER_KEY),
    now,
    log,
    plan,
    oauth: registeredApp(env),
    allowedApiDomains: env.PIPEDRIVE_API_DOMAINS,
    admit: (call: PlannedCall) => admitCall(db, call, { now: now(), plan }),
    onCall: (call: FinishedCall) => recordCall(db, call, now()),
  };
  return {
    ...pipedrive,
    access: createPipedriveAccess(pipedrive),
    publicUrl: env.PUBLIC_URL,
    apiTokenDomain: env.PIPEDRIVE_API_TOKEN_DOMAIN,
    returnUrls: env.RETURN_URLS,
  };
}

function registeredApp(env: Config) {
  const { PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET, PIPEDRIVE_REDIRECT_URL } = env;
  if (!PIPEDRIVE_CLIENT_ID || !PIPEDRIVE_CLIENT_SECRET || !PIPEDRIVE_REDIRECT_URL) return undefined;
  return {
    clientId: PIPEDRIVE_CLIENT_ID,
    clientSecret: PIPEDRIVE_CLIENT_SECRET,
    redirectUrl: PIPEDRIVE_REDIRECT_URL,
    oauthUrl: env.PIPEDRIVE_OAUTH_URL,
  };
}
