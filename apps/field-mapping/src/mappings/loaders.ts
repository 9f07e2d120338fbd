import type { ConnectionId, FieldMappingId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createGroupLoader, createLoader, type RequestContext } from '@manifold/subgraph';
import { listCatalogues } from '../catalogue/store.ts';
import { listDrift } from '../drift/store.ts';
import type { Db, FieldCatalogue, FieldMapping, MappingDrift, MappingVersion } from '../store.ts';
import { listVersions } from '../versions/store.ts';
import { listMappingsByIds } from './store.ts';

/** One query per kind for everything a request asks, within its workspace. */
export const createLoaders =
  ({ db }: { db: Db }) =>
  ({ workspaceId }: Pick<RequestContext, 'workspaceId'>) => ({
    mappings: createLoader<FieldMappingId, FieldMapping>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listMappingsByIds(tx, workspaceId, ids)),
      ({ id }) => id,
    ),
    versions: createGroupLoader<FieldMappingId, Omit<MappingVersion, 'source'>>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listVersions(tx, workspaceId, ids)),
      (version) => version.mapping_id,
    ),
    drift: createGroupLoader<FieldMappingId, MappingDrift>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listDrift(tx, workspaceId, ids)),
      (drift) => drift.mapping_id,
    ),
    catalogues: createGroupLoader<ConnectionId, FieldCatalogue>(
      (connectionIds) =>
        withWorkspace(db, workspaceId, (tx) =>
          listCatalogues(tx, workspaceId, {
            connectionIds,
            objects: ['person', 'organization', 'lead'],
          }),
        ),
      (catalogue) => catalogue.connection_id,
    ),
  });

export type Loaders = ReturnType<ReturnType<typeof createLoaders>>;
