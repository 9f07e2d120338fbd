import { GetMapping } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { respondTo, type Responder } from '@manifold/messaging';
import type { Db } from '../store.ts';
import { findMapping } from '../mappings/store.ts';
import { findVersion } from './store.ts';

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
        source: published.source,
      };
    }),
  ),
];
