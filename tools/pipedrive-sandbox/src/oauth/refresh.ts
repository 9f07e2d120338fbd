import type { Reply } from '../http/reply.ts';
import { findUser } from '../users/users.ts';
import type { World } from '../world.ts';
import type { App } from './apps.ts';
import {
  findGrantByRefreshToken,
  findGrantBySpentToken,
  type Grant,
  REFRESH_TOKEN_LIFE_MS,
  removeGrant,
  rotateRefreshToken,
  touchGrant,
} from './grants.ts';
import type { GrantFault, GrantKey } from './refreshes.ts';

/** What the token endpoint says; it knows the words. */
export interface RefreshAnswers {
  tokens(grant: Grant): Reply;
  refused(): Reply;
  broken(): Reply;
}

/**
 * The refresh token stays the same and its sixty days begin again, unless a fault makes it rotate. Counts every call
 * for the grant it was meant for.
 */
export async function refresh(
  app: App,
  token: string,
  { world, answers }: { world: World; answers: RefreshAnswers },
): Promise<Reply> {
  const key = keyOf(app, token, world);
  world.refreshes.count(key, 'asked');
  const faults = world.refreshes.take(key);
  const struck = (kind: GrantFault['kind']) => faults.find((fault) => fault.kind === kind);
  const slow = struck('slow');
  const passed = slow === undefined || (await world.clock.pause(slow.ms));
  if (!passed || struck('500') !== undefined) return answers.broken();

  return world.db.transaction(() => {
    const grant = struck('refuse') === undefined ? findAlive(app, token, world) : undefined;
    world.refreshes.count(key, grant === undefined ? 'refused' : 'granted');
    if (grant === undefined) return answers.refused();
    touchGrant(world.db, grant.id, world.now().getTime());
    const rotates = struck('rotate') ?? struck('revoke-on-reuse');
    if (rotates === undefined) return answers.tokens(grant);
    return answers.tokens(rotateRefreshToken(world.db, grant, world.now().getTime()));
  });
}

function keyOf(app: App, token: string, { db }: World): GrantKey {
  const grant = findGrantByRefreshToken(db, token) ?? findGrantBySpentToken(db, token);
  return { clientId: app.clientId, userId: grant?.user_id ?? null };
}

/** The grant of a refresh token that still counts. A spent one counts no more, and may end its grant. */
function findAlive(app: App, token: string, world: World): Grant | undefined {
  const { db, refreshes } = world;
  const grant = findGrantByRefreshToken(db, token);
  if (grant === undefined) {
    const spent = findGrantBySpentToken(db, token);
    if (spent === undefined || spent.client_id !== app.clientId) return undefined;
    const key = { clientId: spent.client_id, userId: spent.user_id };
    if (!refreshes.revokesOnReuse(key)) return undefined;
    removeGrant(db, spent);
    refreshes.count(key, 'revoked');
    return undefined;
  }
  const idle = world.now().getTime() - grant.used_ms >= REFRESH_TOKEN_LIFE_MS;
  const active = findUser(db, grant.user_id)?.active === true;
  return idle || !active || grant.client_id !== app.clientId ? undefined : grant;
}
