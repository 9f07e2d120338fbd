import { timingSafeEqual } from 'node:crypto';
import { refused } from '../http/problem.ts';
import { json, problemReply, type Reply } from '../http/reply.ts';
import type { World } from '../world.ts';
import { type App, findApp, scopeOf } from './apps.ts';
import {
  ACCESS_TOKEN_LIFE_MS,
  findCode,
  findGrantByRefreshToken,
  type Grant,
  insertAccessToken,
  openGrant,
  removeAccessToken,
  removeGrant,
} from './grants.ts';
import { refresh } from './refresh.ts';

/** A form sent to the token endpoints. */
export interface TokenRequest {
  contentType: string;
  authorization: string | undefined;
  form: URLSearchParams;
}

/** Exchanges a code, or refreshes. Messages are those Pipedrive publishes; the JSON around them is a guess. */
export async function answerToken(request: TokenRequest, world: World): Promise<Reply> {
  const app = readClient(request, world);
  if ('status' in app) return app;
  const grantType = request.form.get('grant_type');
  if (grantType === null) return wrong('invalid_request', 'Missing parameter: `grant_type`');
  if (grantType === 'authorization_code') return exchangeCode(app, request.form, world);
  if (grantType === 'refresh_token') {
    const answers = {
      tokens: (grant: Grant) => tokens(grant, world),
      refused: () => wrong('invalid_grant', 'Invalid grant: `refresh_token` is invalid'),
      broken: () => problemReply(refused(500, 'Internal Server Error')),
    };
    return refresh(app, request.form.get('refresh_token') ?? '', { world, answers });
  }
  return wrong('unsupported_grant_type', 'Unsupported grant type: `grant_type` is invalid');
}

function exchangeCode(app: App, form: URLSearchParams, world: World): Reply {
  const redirectUri = form.get('redirect_uri') ?? '';
  if (!URL.canParse(redirectUri))
    return wrong('invalid_request', 'Invalid request: `redirect_uri` is not a valid URI');
  if (!app.redirectUris.includes(redirectUri))
    return wrong('invalid_request', 'Invalid request: `redirect_uri` is invalid');
  const nowMs = world.now().getTime();
  const found = findCode(world.db, form.get('code') ?? '');
  const fits = found?.client_id === app.clientId && found.redirect_uri === redirectUri;
  if (found === undefined || !fits || found.used === 1)
    return wrong('invalid_grant', 'Invalid grant: `authorization_code` is invalid');
  if (found.expires_ms <= nowMs)
    return wrong('invalid_grant', 'Invalid grant: `authorization_code` has expired');
  return world.db.transaction(() => {
    world.db.run('update code set used = 1 where code = ?', found.code);
    const { clientId } = app;
    const grant = openGrant(world.db, {
      clientId,
      userId: found.user_id,
      scope: scopeOf(app),
      nowMs,
    });
    return tokens(grant, world);
  });
}

function tokens(grant: Grant, world: World): Reply {
  return json(200, {
    access_token: insertAccessToken(world.db, grant.id, world.now().getTime()),
    token_type: 'Bearer',
    expires_in: ACCESS_TOKEN_LIFE_MS / 1000 - 1,
    refresh_token: grant.refresh_token,
    scope: grant.scope,
    api_domain: world.url(),
  });
}

/** RFC 7009: a refresh token takes the whole installation with it, an access token only itself. */
export function answerRevoke(request: TokenRequest, world: World): Reply {
  const app = readClient(request, world);
  if ('status' in app) return app;
  // the official client encodes the token twice
  const given = request.form.get('token') ?? '';
  for (const token of new Set([given, decodeOnce(given)])) {
    const grant = findGrantByRefreshToken(world.db, token);
    if (grant?.client_id === app.clientId) removeGrant(world.db, grant);
    else removeAccessToken(world.db, token, app.clientId);
  }
  return json(200, { success: true });
}

function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Client credentials by Basic auth, or in the body, which works but is discouraged. */
function readClient(request: TokenRequest, world: World): App | Reply {
  if (!request.contentType.startsWith('application/x-www-form-urlencoded'))
    return wrong(
      'invalid_request',
      'Invalid request: content must be `application/x-www-form-urlencoded`',
    );
  const [clientId, secret] = readBasic(request.authorization) ?? [
    request.form.get('client_id') ?? '',
    request.form.get('client_secret') ?? '',
  ];
  if (!clientId || !secret)
    return wrong('invalid_client', 'Invalid client: cannot retrieve client credentials');
  const app = findApp(world.db, clientId);
  if (app === undefined || !sameSecret(app.clientSecret, secret))
    return wrong('invalid_client', 'Invalid client: client is invalid');
  return app;
}

function readBasic(authorization: string | undefined): [string, string] | undefined {
  const encoded = /^Basic\s+(.+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return [id, rest.join(':')];
}

function sameSecret(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function wrong(error: string, message: string): Reply {
  return json(400, { success: false, error, message });
}
