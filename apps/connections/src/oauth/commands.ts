import { acrossWorkspaces } from '@manifold/database';
import { rejectGrant } from '../accounts/commands.ts';
import { type GrantHolder, lockGrantOf, postponeRefresh } from '../accounts/grants/store.ts';
import type { OauthDeps } from './beginning.ts';

/** The user removed the app in Pipedrive: every connection of the grant stops, in every workspace. */
export async function forgetGrant(
  deps: OauthDeps,
  holder: GrantHolder,
  removedAt: Date | undefined,
): Promise<void> {
  await acrossWorkspaces(deps.db, async (tx) => {
    const grant = await lockGrantOf(tx, holder);
    if (grant === undefined) return;
    if (removedAt !== undefined && removedAt < grant.renewed_at) {
      // from before its user connected again; should clocks differ, asking for a token tells
      await postponeRefresh(tx, grant, deps.now());
      return;
    }
    const { id, token_version: version } = grant;
    await rejectGrant(tx, { id, version, reason: 'app_removed', now: deps.now() });
  });
}
