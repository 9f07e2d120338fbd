import type { Logger } from 'pino';
import { createPipedriveAccess } from './accounts/calling/client.ts';
import { createAdmission } from './budget/admission.ts';
import type { PlannedCall } from './budget/commands.ts';
import { createLedger } from './budget/ledger.ts';
import { planOf } from './budget/rules.ts';
import { customFieldCaps } from './fields/creation/rules.ts';
import { type Config, masterKeysOf } from './config.ts';
import type { Db } from './store.ts';
import { DEFAULT_APP, type RegisteredApp } from './oauth/apps.ts';
import { openVault } from './vault/keyring.ts';

/** Everything that has to do with Pipedrive, made from the environment: vault, budget, access. */
export async function connectPipedrive(
  env: Config,
  { db, log, now }: { db: Db; log: Logger; now: () => Date },
) {
  const plan = planOf({
    plan: env.API_PLAN,
    seats: env.API_SEATS,
    dailyTokens: env.API_DAILY_TOKENS,
  });
  const ledger = createLedger({ db, plan, now, log });
  const admit = createAdmission({ db, plan, now });
  const pipedrive = {
    db,
    ...(await openVault({ db, now, log }, masterKeysOf(env))),
    now,
    log,
    plan,
    apps: registeredApps(env),
    allowedApiDomains: env.PIPEDRIVE_API_DOMAINS,
    admit: async (call: PlannedCall) => ledger.restOf(call) ?? admit(call),
    onCall: ledger.record,
    stopLedger: ledger.stop,
  };
  return {
    ...pipedrive,
    access: createPipedriveAccess(pipedrive),
    publicUrl: env.PUBLIC_URL,
    apiTokenDomain: env.PIPEDRIVE_API_TOKEN_DOMAIN,
    returnUrls: env.RETURN_URLS,
    customFieldCap: customFieldCaps[env.API_PLAN],
    terms: termsOf(env),
  };
}

const termsOf = ({ TERMS_VERSION: version, TERMS_URL: url }: Config) =>
  version === undefined || url === undefined ? undefined : { version, url };

/** The default app first, so that it is the one used when none is named. */
function registeredApps(env: Config): RegisteredApp[] {
  const { PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET, PIPEDRIVE_REDIRECT_URL } = env;
  const oauthUrl = env.PIPEDRIVE_OAUTH_URL;
  const more = env.PIPEDRIVE_APPS.map((app) => ({ ...app, scopes: app.scopes, oauthUrl }));
  if (!PIPEDRIVE_CLIENT_ID || !PIPEDRIVE_CLIENT_SECRET || !PIPEDRIVE_REDIRECT_URL) return more;
  const first = {
    name: DEFAULT_APP,
    clientId: PIPEDRIVE_CLIENT_ID,
    clientSecret: PIPEDRIVE_CLIENT_SECRET,
    redirectUrl: PIPEDRIVE_REDIRECT_URL,
    scopes: env.PIPEDRIVE_SCOPES.length === 0 ? undefined : env.PIPEDRIVE_SCOPES,
    oauthUrl,
  };
  return [first, ...more];
}
