import type { Db } from '../../store.ts';
import { listOrganizationConnections } from '../store.ts';
import type { Connection } from '../tables.ts';
import { type Manager, refuseCompanyRole, requireUpkeep } from './rules.ts';

/**
 * What holds for a whole company in Pipedrive, whichever connection it is asked with: an
 * administrator's matter, or the owner's where theirs is all the workspace is connected by.
 */
export async function requireDeciding(
  tx: Db,
  connection: Connection,
  { by, field }: { by: Manager; field: string },
): Promise<void> {
  requireUpkeep(connection, by, field);
  if (by.byAdmin) return;
  const shared = await listOrganizationConnections(tx, [connection.company_id]);
  if (shared.length > 0) throw refuseCompanyRole();
}
