import type { ConnectionId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createGroupLoader, createLoader, type RequestContext } from '@manifold/subgraph';
import type { Db } from '../store.ts';
import { listTermsAccepted } from './consent/store.ts';
import { listGrants } from './grants/store.ts';
import { listConnectionsByIds, listOrganizationConnections } from './store.ts';
import type { Connection, Consent, StoredGrant } from './tables.ts';

/** One batched query per request for connections named by other parts of the graph. */
export const createAccountLoaders = ({ db }: { db: Db }, { workspaceId }: RequestContext) => ({
  connections: createLoader<ConnectionId, Connection>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listConnectionsByIds(tx, ids)),
    ({ id }) => id,
  ),
  organizationConnections: createGroupLoader<string, Connection>(
    (companyIds) =>
      withWorkspace(db, workspaceId, (tx) => listOrganizationConnections(tx, companyIds)),
    ({ company_id }) => company_id,
  ),
  grants: createLoader<string, StoredGrant>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listGrants(tx, ids)),
    ({ id }) => id,
  ),
  termsAccepted: createLoader<ConnectionId, Consent>(
    (ids) => withWorkspace(db, workspaceId, (tx) => listTermsAccepted(tx, ids)),
    ({ connection_id }) => connection_id,
  ),
});
export type AccountLoaders = ReturnType<typeof createAccountLoaders>;

/** A request with what it looked up so far. */
export type AccountContext = RequestContext & { loaders: AccountLoaders };
