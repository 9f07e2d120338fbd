import { countLeads } from '../leads/store.ts';
import { countNotes } from '../notes/store.ts';
import { listApps } from '../oauth/apps.ts';
import { listGrants } from '../oauth/grants.ts';
import { countRecords } from '../records/store.ts';
import { listUsers } from '../users/users.ts';
import { listSubscriptions } from '../webhooks/subscriptions.ts';
import type { World } from '../world.ts';

/** All there is, records only by their number. */
export function describeState(world: World) {
  const { db } = world;
  return {
    now: world.now().toISOString(),
    timeFactor: world.clock.factor,
    clockStart: world.clock.start.toISOString(),
    company: world.company,
    users: listUsers(db).map(({ id, name, email, admin, active, apiToken }) => ({
      id,
      name,
      email,
      admin,
      active,
      apiToken,
    })),
    apps: listApps(db).map(({ clientId, name, redirectUris, scopes }) => ({
      clientId,
      name,
      redirectUris,
      scopes,
    })),
    grants: listGrants(db).map((grant) => ({ clientId: grant.client_id, userId: grant.user_id })),
    counts: {
      persons: countRecords(db, 'person'),
      organizations: countRecords(db, 'organization'),
      leads: countLeads(db),
      deals: countRecords(db, 'deal'),
      products: countRecords(db, 'product'),
      activities: countRecords(db, 'activity'),
      notes: countNotes(db),
      webhooks: listSubscriptions(db).length,
    },
    limits: world.limiter.rules,
    faultsStruck: world.faults.totals(),
  };
}
