import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { createDispatcher, type Transmission, transmit } from './transmit.ts';

const OAUTH_URL = 'https://oauth.pipedrive.com';

/** An app registered at Pipedrive. */
export interface OauthApp {
  clientId: string;
  clientSecret: string;
  /** Absent: Pipedrive's own. */
  oauthUrl?: string | undefined;
  /** Absent: 10 s. */
  timeoutMs?: number | undefined;
  dispatcher?: Dispatcher | undefined;
}

export interface Grant {
  accessToken: string;
  /** Lives 60 days from its last use. Store what came back, even when it did not change. */
  refreshToken: string;
  expiresInSeconds: number;
  scopes: string[];
  /** Not checked yet: `parseApiDomain` before it is called. */
  apiDomain: string;
  tokenType: string;
}

export type GrantOutcome =
  | { outcome: 'ok'; grant: Grant }
  /** The code or refresh token is not accepted, and never will be. */
  | { outcome: 'invalid_grant' }
  /** The app's id, secret or redirect address is wrong: no grant of any tenant is at fault. */
  | { outcome: 'invalid_client' }
  /** No usable answer. Refreshing may be repeated; a code works once, so exchanging may not. */
  | { outcome: 'unavailable'; cause: string };

export type RevokeOutcome =
  | { outcome: 'ok' }
  | Exclude<GrantOutcome, { outcome: 'ok' | 'invalid_grant' }>;

/** Where to send the browser. Scopes belong to the app; Pipedrive takes none here. */
export function authorizeUrl(options: {
  clientId: string;
  redirectUri: string;
  state: string;
  oauthUrl?: string | undefined;
}): string {
  const url = new URL('/oauth/authorize', options.oauthUrl ?? OAUTH_URL);
  url.searchParams.set('client_id', options.clientId);
  url.searchParams.set('redirect_uri', options.redirectUri);
  url.searchParams.set('state', options.state);
  return url.href;
}

/** Trades the code of a callback (5 minutes, once) for a grant. */
export const exchangeCode = (
  app: OauthApp,
  { code, redirectUri }: { code: string; redirectUri: string },
): Promise<GrantOutcome> =>
  requestGrant(app, { grant_type: 'authorization_code', code, redirect_uri: redirectUri });

/** A new access token (60 minutes). Hold a lock: one refresh per grant at a time. */
export const refreshGrant = (
  app: OauthApp,
  { refreshToken }: { refreshToken: string },
): Promise<GrantOutcome> =>
  requestGrant(app, { grant_type: 'refresh_token', refresh_token: refreshToken });

/** Revoking the refresh token uninstalls the app for its user; the access token alone ends only that token. */
export async function revokeGrant(
  app: OauthApp,
  { token, hint }: { token: string; hint: 'refresh_token' | 'access_token' },
): Promise<RevokeOutcome> {
  const transmission = await post(app, '/oauth/revoke', { token, token_type_hint: hint });
  if (transmission.sent === 'answered' && transmission.status === 200) return { outcome: 'ok' };
  const failure = judgeFailure(transmission);
  return failure.outcome === 'invalid_grant' ? { outcome: 'ok' } : failure;
}

const grantBody = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1),
  expires_in: z.coerce.number().int().positive(),
  scope: z.string().nullish(),
  api_domain: z.string().min(1),
  token_type: z.string().catch('bearer'),
});

async function requestGrant(app: OauthApp, form: Record<string, string>): Promise<GrantOutcome> {
  const transmission = await post(app, '/oauth/token', form);
  if (transmission.sent !== 'answered' || transmission.status !== 200)
    return judgeFailure(transmission);
  const parsed = grantBody.safeParse(parseJson(transmission.text));
  if (!parsed.success) return { outcome: 'unavailable', cause: 'answer_unreadable' };
  const { access_token, refresh_token, expires_in, scope, api_domain, token_type } = parsed.data;
  return {
    outcome: 'ok',
    grant: {
      accessToken: access_token,
      refreshToken: refresh_token,
      expiresInSeconds: expires_in,
      scopes: (scope ?? '').split(/[\s,]+/).filter((name) => name !== ''),
      apiDomain: api_domain,
      tokenType: token_type,
    },
  };
}

let ownDispatcher: Dispatcher | undefined;

function post(app: OauthApp, path: string, form: Record<string, string>): Promise<Transmission> {
  ownDispatcher ??= createDispatcher();
  const credentials = Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64');
  return transmit({
    url: new URL(path, app.oauthUrl ?? OAUTH_URL).href,
    method: 'POST',
    headers: {
      accept: 'application/json',
      authorization: `Basic ${credentials}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(form).toString(),
    timeoutMs: app.timeoutMs ?? 10_000,
    dispatcher: app.dispatcher ?? ownDispatcher,
  });
}

/**
 * Pipedrive answers every refusal here with 400 and a sentence. A grant is called dead only when
 * the answer says so in words: a guess would disconnect a tenant.
 */
function judgeFailure(transmission: Transmission): Exclude<GrantOutcome, { outcome: 'ok' }> {
  if (transmission.sent !== 'answered')
    return { outcome: 'unavailable', cause: transmission.cause };
  const { status, text = '' } = transmission;
  if (status === 400 || status === 401) {
    const said = errorText(text);
    if (/invalid_client|client is invalid|redirect_uri is invalid/i.test(said))
      return { outcome: 'invalid_client' };
    if (
      /invalid_grant|(refresh_token|authorization_code) .{0,80}(invalid|expired|exchanged)/i.test(
        said,
      )
    ) {
      return { outcome: 'invalid_grant' };
    }
    if (status === 401) return { outcome: 'invalid_client' };
  }
  return { outcome: 'unavailable', cause: `http_${status}` };
}

const errorBody = z.object({
  error: z.string().catch(''),
  error_description: z.string().catch(''),
  message: z.string().catch(''),
});

function errorText(text: string): string {
  const parsed = errorBody.safeParse(parseJson(text));
  return parsed.success ? Object.values(parsed.data).join(' | ').slice(0, 1000) : '';
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
