import { GetMapping, MappingPublished } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { ask, type Handler, onPrepared } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Db, Tables } from '../store.ts';
import { keepMapping } from './commands.ts';
import { isMappingUsed } from './store.ts';

/** A new version of a mapping in use takes effect at once, without a restart. */
export const createMappingConsumers = (deps: {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}): Handler<Tables>[] => [
  onPrepared(
    MappingPublished,
    async ({ workspaceId, payload: { mappingId, version } }) => {
      const used = await withWorkspace(deps.db, workspaceId, (tx) =>
        isMappingUsed(tx, workspaceId, mappingId),
      );
      return used ? ask(deps.nats, GetMapping, { workspaceId, mappingId, version }) : undefined;
    },
    async (tx, { workspaceId }, mapping) => {
      if (mapping) await keepMapping(tx, workspaceId, { mapping, now: deps.now() });
    },
    { keyOf: ({ payload }) => payload.mappingId },
  ),
];
