import { GetMapping, type MappingSource } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { respondTo, type Responder } from '@manifold/messaging';
import { listCatalogues } from '../catalogue/store.ts';
import { quarantinedExcerpt } from '../drift/rules.ts';
import { listDrift } from '../drift/store.ts';
import type { Db, FieldMapping, MappingVersion, Tx } from '../store.ts';
import { findMapping } from '../mappings/store.ts';
import { findVersion } from './store.ts';

/** The rows stay; a quarantined one finds its field as it is now, so that compiling leaves it out. */
async function withoutQuarantined(
  tx: Tx,
  mapping: FieldMapping,
  { source, version }: MappingVersion,
): Promise<MappingSource> {
  if (version !== mapping.version) return source;
  const drift = await listDrift(tx, mapping.workspace_id, [mapping.id]);
  const quarantined = drift.filter((one) => one.published && one.quarantined);
  if (quarantined.length === 0) return source;
  const current = await listCatalogues(tx, mapping.workspace_id, {
    connectionIds: [mapping.connection_id],
    objects: [...new Set(quarantined.map(({ object }) => object))],
  });
  const rowIds = new Set(quarantined.map(({ row_id }) => row_id));
  const fields = current.flatMap((catalogue) => catalogue.fields);
  return { ...source, catalogue: quarantinedExcerpt(source, rowIds, fields) };
}

/** What other services may ask about mappings. */
export const createResponders = ({ db }: { db: Db }): Responder[] => [
  respondTo(GetMapping, ({ workspaceId, mappingId, version }) =>
    withWorkspace(db, workspaceId, async (tx) => {
      const mapping = await findMapping(tx, workspaceId, mappingId);
      if (!mapping) {
        throw new Refusal('not_found', `There is no field mapping ${mappingId}`, {
          reason: 'record_not_found',
        });
      }
      const published = await findVersion(tx, workspaceId, { mappingId, version });
      if (!published) {
        throw new Refusal('precondition', `Field mapping ${mappingId} is not published`, {
          reason: 'mapping_not_published',
          fix: 'Publish it with the mutation publishFieldMapping.',
        });
      }
      return {
        mappingId,
        version: published.version,
        connectionId: mapping.connection_id,
        purpose: mapping.purpose,
        hash: published.hash,
        source: await withoutQuarantined(tx, mapping, published),
      };
    }),
  ),
];
