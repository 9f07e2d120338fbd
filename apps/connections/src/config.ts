import { readConfig, serviceEnvironment } from '@manifold/service';
import { z } from 'zod';
import { planNames } from './budget/rules.ts';

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

const environment = {
  ...serviceEnvironment,
  /** 32 bytes in base64, from which every key at rest is derived. Never generated here: losing it loses every token. */
  MASTER_KEY: z
    .string({
      error: 'is required: 32 random bytes in base64, for example from `openssl rand -base64 32`',
    })
    .transform((text) => Buffer.from(text, 'base64'))
    .refine((key) => key.length === 32, 'must be 32 bytes in base64'),
  /** Where Pipedrive and browsers reach this service. */
  PUBLIC_URL: z.url({ protocol: /^https?$/ }),
  /** The registered app; without it connections are made with API tokens only. */
  PIPEDRIVE_CLIENT_ID: optionalText,
  PIPEDRIVE_CLIENT_SECRET: optionalText,
  /** As registered at Pipedrive: `<PUBLIC_URL>/oauth/callback`. */
  PIPEDRIVE_REDIRECT_URL: optionalText,
  PIPEDRIVE_OAUTH_URL: z.url().default('https://oauth.pipedrive.com'),
  /** Origins that may be called besides those of Pipedrive: a local one. */
  PIPEDRIVE_API_DOMAINS: urls,
  /** Where API tokens are tried; unless set, at the company's own host when it is named. */
  PIPEDRIVE_API_TOKEN_DOMAIN: z.url().default('https://api.pipedrive.com'),
  /** Addresses below which a browser may be sent after connecting. */
  RETURN_URLS: urls,
  /** Limits assumed until Pipedrive tells the real ones. */
  API_PLAN: z.enum(planNames).default('lite'),
  API_SEATS: z.coerce.number().int().positive().optional(),
  API_DAILY_TOKENS: z.coerce.number().int().positive().optional(),
  /** How long a write of unknown end is left alone before it is looked for. */
  SETTLE_MS: z.coerce.number().int().min(0).default(60_000),
};

/** The environment of the connections service; every variable at fault is named at once. */
export function config(env: NodeJS.ProcessEnv = process.env) {
  const read = readConfig(environment, env);
  const { PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET, PIPEDRIVE_REDIRECT_URL } = read;
  const parts = [PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET, PIPEDRIVE_REDIRECT_URL];
  const given = parts.filter((part) => part !== undefined).length;
  if (given !== 0 && given !== parts.length) {
    throw new Error(
      'Invalid environment\n  PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET and PIPEDRIVE_REDIRECT_URL belong together',
    );
  }
  return read;
}

export type Config = ReturnType<typeof config>;
