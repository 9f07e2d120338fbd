import type { IncomingHttpHeaders } from 'node:http';
import { findApp, scopeOf } from '../oauth/apps.ts';
import { findGrantByAccessToken } from '../oauth/grants.ts';
import { findUser, findUserByToken } from '../users/users.ts';
import type { World } from '../world.ts';
import type { Actor } from './actor.ts';
import { refused, unauthorized } from './problem.ts';

/** An API token counts by its header only, an OAuth token as Bearer only. */
export function authenticate(headers: IncomingHttpHeaders, world: World): Actor {
  const apiToken = headers['x-api-token'];
  if (typeof apiToken === 'string' && apiToken !== '') {
    const user = findUserByToken(world.db, apiToken);
    if (!user?.active) throw unauthorized();
    return { kind: 'api_token', user, token: apiToken };
  }
  const { authorization } = headers;
  if (authorization === undefined) throw unauthorized();
  const token = /^Bearer (\S+)$/.exec(authorization)?.[1];
  if (token === undefined) throw refused(400, 'Invalid request: malformed authorization header');
  return authenticateGrant(token, world);
}

function authenticateGrant(token: string, world: World): Actor {
  const grant = findGrantByAccessToken(world.db, token, world.now().getTime());
  const user = grant && findUser(world.db, grant.user_id);
  const registered = grant && findApp(world.db, grant.client_id);
  if (grant === undefined || registered === undefined || !user?.active)
    throw unauthorized('Invalid token: access_token is invalid');
  // a scope the app has lost is lost to its old grants too
  const left = scopeOf(registered).split(',');
  const scopes = grant.scope.split(',').filter((scope) => left.includes(scope));
  const app = { clientId: grant.client_id, scopes };
  return { kind: 'oauth', user, token, app };
}
