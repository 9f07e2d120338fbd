import { notFound, refused } from '../http/problem.ts';
import { json, type Reply } from '../http/reply.ts';
import type { JsonObject } from '../json.ts';
import { findGrant, listGrants, removeAccessTokens } from '../oauth/grants.ts';
import { GRANT_FAULT_KINDS } from '../oauth/refreshes.ts';
import { findUser, saveUser } from '../users/users.ts';
import type { World } from '../world.ts';
import { readNumber, readText } from './values.ts';

/** Every grant with its refresh calls; those that ended are listed as long as there were any. */
export function showGrants(_: JsonObject, __: URLSearchParams, world: World): Reply {
  const counts = world.refreshes.counts();
  const standing = listGrants(world.db).map((grant) => {
    const { client_id: clientId, user_id: userId, scope, used_ms } = grant;
    const own = counts.find((count) => count.clientId === clientId && count.userId === userId);
    const none = { asked: 0, granted: 0, refused: 0, revoked: 0 };
    return { clientId, userId, scope, usedAt: new Date(used_ms).toISOString(), ...none, ...own };
  });
  const isStanding = (clientId: string, userId: number | null) =>
    standing.some((grant) => grant.clientId === clientId && grant.userId === userId);
  const ended = counts.filter(({ clientId, userId }) => !isStanding(clientId, userId));
  return json(200, [
    ...standing.map((grant) => ({ ...grant, installed: true })),
    ...ended.map((count) => ({ ...count, installed: false })),
  ]);
}

export function addGrantFault(body: JsonObject, _: URLSearchParams, world: World): Reply {
  const kind = GRANT_FAULT_KINDS.find((known) => known === body.kind);
  if (kind === undefined) throw refused(400, `kind must be one of ${GRANT_FAULT_KINDS.join(', ')}`);
  const fault = world.refreshes.addFault({
    kind,
    ...(body.clientId === undefined ? {} : { clientId: readText(body, 'clientId') }),
    ...(body.userId === undefined ? {} : { userId: readNumber(body, 'userId', 0) }),
    ms: readNumber(body, 'ms', 0),
    times: body.times === undefined ? null : readNumber(body, 'times', 1),
  });
  return json(201, fault);
}

/** All access tokens of a grant are invalid from now on; its refresh token is not. */
export function expireTokens(body: JsonObject, _: URLSearchParams, { db }: World): Reply {
  const grant = findGrant(db, readText(body, 'clientId'), readNumber(body, 'userId', 0));
  if (grant === undefined) throw notFound('This app is not installed by this user');
  return json(200, { expired: removeAccessTokens(db, grant.id) });
}

/** `{active, admin}`: an administrator deactivates a user, or takes the administrator's rights. */
export function changeUser(body: JsonObject, _: URLSearchParams, { db }: World): Reply {
  const user = findUser(db, Number(body.id));
  if (user === undefined) throw notFound('There is no such user');
  const { active = user.active, admin = user.admin } = body;
  if (typeof active !== 'boolean' || typeof admin !== 'boolean')
    throw refused(400, 'active and admin must be true or false');
  saveUser(db, { ...user, active, admin });
  return json(200, { id: user.id, active, admin });
}
