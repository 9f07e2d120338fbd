import { readConfig, serviceEnvironment } from '@manifold/service';
import { z } from 'zod';
import { callTiming } from './accounts/calling/timing.ts';
import { planNames } from './budget/rules.ts';
import { DEFAULT_APP, type NamedApp, parseApps } from './oauth/apps.ts';
import { leastSettleMs } from './writes/sending/calling/rules.ts';

const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

const urls = z
  .string()
  .optional()
  .transform(list)
  .pipe(z.array(z.url({ protocol: /^https?$/ })));

const set = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
const optionalText = z.string().optional().transform(set);

const keyBytes = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === 32, 'must be 32 bytes in base64');

const apps = z
  .string()
  .optional()
  .transform((text, context): NamedApp[] => {
    try {
      return text === undefined || text === '' ? [] : parseApps(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : '' });
      return z.NEVER;
    }
  });

const environment = {
  ...serviceEnvironment,
  /** 32 bytes in base64 that encrypt every key at rest. Never generated here: losing it loses every token. */
  MASTER_KEY: keyBytes.optional(),
  /** Several of them, newest first: the first encrypts, all of them open. */
  MASTER_KEYS: z.string().optional().transform(list).pipe(z.array(keyBytes)),
  /** Where Pipedrive and browsers reach this service. */
  PUBLIC_URL: z.url({ protocol: /^https?$/ }),
  /** The registered app; without it connections are made with API tokens only. */
  PIPEDRIVE_CLIENT_ID: optionalText,
  PIPEDRIVE_CLIENT_SECRET: optionalText,
  /** As registered at Pipedrive: `<PUBLIC_URL>/oauth/callback`. */
  PIPEDRIVE_REDIRECT_URL: optionalText,
  /** Scopes switched on for it, when they are to be shown; comma list. */
  PIPEDRIVE_SCOPES: z.string().optional().transform(list),
  /** More registered apps: JSON `[{name, clientId, clientSecret, redirectUrl, scopes}]`, or the path of such a file. */
  PIPEDRIVE_APPS: apps,
  PIPEDRIVE_OAUTH_URL: z.url().default('https://oauth.pipedrive.com'),
  /** Origins that may be called besides those of Pipedrive: a local one. */
  PIPEDRIVE_API_DOMAINS: urls,
  /** Where API tokens are tried; unless set, at the company's own host when it is named. */
  PIPEDRIVE_API_TOKEN_DOMAIN: z.url().default('https://api.pipedrive.com'),
  /** Addresses below which a browser may be sent after connecting. */
  RETURN_URLS: urls,
  /** Terms whoever connects has to accept, both or neither. */
  TERMS_VERSION: optionalText,
  TERMS_URL: z.url().optional(),
  /** Limits assumed until Pipedrive tells the real ones. */
  API_PLAN: z.enum(planNames).default('lite'),
  API_SEATS: z.coerce.number().int().positive().optional(),
  API_DAILY_TOKENS: z.coerce.number().int().positive().optional(),
  /** How old an index of records may be when a write looks a record up in it. */
  INDEX_FRESH_MS: z.coerce.number().int().min(0).default(5_000),
  /** How often changes are read that no webhook told of, and how often everything is compared. */
  SWEEP_EVERY_MS: z.coerce.number().int().min(1_000).default(3_600_000),
  VERIFY_EVERY_MS: z.coerce.number().int().min(1_000).default(86_400_000),
  /** How long a webhook may take before it counts as lost, and how often subscriptions are looked at. */
  WEBHOOK_GRACE_MS: z.coerce.number().int().min(0).default(30_000),
  WEBHOOK_CHECK_MS: z.coerce.number().int().min(1_000).default(1_800_000),
  /** How long a write of unknown end is left alone before it is looked for. */
  SETTLE_MS: z.coerce.number().int().min(0).default(60_000),
};

/** The environment of the connections service; every variable at fault is named at once. */
export function config(env: NodeJS.ProcessEnv = process.env) {
  const read = readConfig(environment, env);
  requireMasterKey(read);
  requirePairs(read);
  requireSettleTime(read);
  return read;
}

export type Config = z.output<z.ZodObject<typeof environment>>;

/** Newest first. */
export const masterKeysOf = ({
  MASTER_KEY,
  MASTER_KEYS,
}: Pick<Config, 'MASTER_KEY' | 'MASTER_KEYS'>): Buffer[] => [
  ...MASTER_KEYS,
  ...(MASTER_KEY === undefined ? [] : [MASTER_KEY]),
];

function requireMasterKey(read: Config): void {
  if (masterKeysOf(read).length > 0) return;
  throw new Error(
    'Invalid environment\n  MASTER_KEY: is required: 32 random bytes in base64, for example from `openssl rand -base64 32`',
  );
}

/** Shorter, and a call could still be under way when it is judged; a local Pipedrive answers at once. */
function requireSettleTime({ SETTLE_MS, PIPEDRIVE_API_DOMAINS }: Config): void {
  const least = leastSettleMs(callTiming);
  if (SETTLE_MS >= least || PIPEDRIVE_API_DOMAINS.length > 0) return;
  throw new Error(`Invalid environment\n  SETTLE_MS: must be at least ${least}`);
}

function requirePairs(read: Config): void {
  if ((read.TERMS_VERSION === undefined) !== (read.TERMS_URL === undefined)) {
    throw new Error('Invalid environment\n  TERMS_VERSION and TERMS_URL belong together');
  }
  const { PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET, PIPEDRIVE_REDIRECT_URL } = read;
  const parts = [PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET, PIPEDRIVE_REDIRECT_URL];
  const given = parts.filter((part) => part !== undefined).length;
  if (given !== 0 && given !== parts.length) {
    throw new Error(
      'Invalid environment\n  PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET and PIPEDRIVE_REDIRECT_URL belong together',
    );
  }
  const { PIPEDRIVE_APPS: more } = read;
  if (more.some(({ name, clientId }) => name === DEFAULT_APP || clientId === PIPEDRIVE_CLIENT_ID)) {
    throw new Error(
      'Invalid environment\n  PIPEDRIVE_APPS: repeats the app of PIPEDRIVE_CLIENT_ID',
    );
  }
}
