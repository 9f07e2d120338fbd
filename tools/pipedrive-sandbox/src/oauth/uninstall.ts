import { request } from 'undici';
import type { World } from '../world.ts';
import { findApp } from './apps.ts';
import { findGrant, removeGrant } from './grants.ts';

const TIMEOUT_MS = 10_000;

/**
 * A user removes an app in Pipedrive's own pages: the grant ends, then the app's callback hears of it once. Returns
 * the callback's status, null when nobody answered, undefined when there was no such installation.
 */
export async function uninstall(
  world: World,
  { clientId, userId }: { clientId: string; userId: number },
): Promise<number | null | undefined> {
  const app = findApp(world.db, clientId);
  const grant = findGrant(world.db, clientId, userId);
  if (app === undefined || grant === undefined) return undefined;
  removeGrant(world.db, grant);
  const [callback] = app.redirectUris;
  if (callback === undefined) return null;
  const pair = Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64');
  try {
    const answer = await request(callback, {
      method: 'DELETE',
      headers: { 'content-type': 'application/json', authorization: `Basic ${pair}` },
      body: JSON.stringify({
        client_id: clientId,
        company_id: world.company.id,
        user_id: userId,
        timestamp: world.now().toISOString(),
      }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.body.dump();
    return answer.statusCode;
  } catch {
    return null;
  }
}
