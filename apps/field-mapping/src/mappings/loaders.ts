import type { ConnectionId, FieldMappingId, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import DataLoader from 'dataloader';
import { listCatalogues } from '../catalogue/store.ts';
import type { Db, FieldCatalogue, FieldMapping, MappingVersion } from '../store.ts';
import { listVersions } from '../versions/store.ts';
import { listMappingsByIds } from './store.ts';

export interface Loaders {
  mappings: DataLoader<FieldMappingId, FieldMapping | null>;
  versions: DataLoader<FieldMappingId, Omit<MappingVersion, 'source'>[]>;
  catalogues: DataLoader<ConnectionId, FieldCatalogue[]>;
}

/** One query per kind for everything a request asks, within its workspace. */
export const createLoaders =
  ({ db }: { db: Db }) =>
  ({ workspaceId }: { workspaceId: WorkspaceId }): Loaders => ({
    mappings: new DataLoader(async (ids) => {
      const found = await withWorkspace(db, workspaceId, (tx) =>
        listMappingsByIds(tx, workspaceId, ids),
      );
      const byId = new Map(found.map((mapping) => [mapping.id, mapping]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    versions: new DataLoader(async (ids) => {
      const found = await withWorkspace(db, workspaceId, (tx) =>
        listVersions(tx, workspaceId, ids),
      );
      const byMapping = Map.groupBy(found, ({ mapping_id }) => mapping_id);
      return ids.map((id) => byMapping.get(id) ?? []);
    }),
    catalogues: new DataLoader(async (connectionIds) => {
      const found = await withWorkspace(db, workspaceId, (tx) =>
        listCatalogues(tx, workspaceId, {
          connectionIds,
          objects: ['person', 'organization', 'lead'],
        }),
      );
      const byConnection = Map.groupBy(found, ({ connection_id }) => connection_id);
      return connectionIds.map((id) => byConnection.get(id) ?? []);
    }),
  });
