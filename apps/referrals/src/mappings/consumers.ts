import { MappingDrifted, MappingPublished } from '@manifold/contracts';
import { type Handler, onPrepared } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Tables } from '../store.ts';
import { fetchMapping } from './commands.ts';
import { insertMappingCopy } from './store.ts';

/** A new version serves the next sign-up, without a restart. */
export const createMappingConsumers = (deps: {
  nats: NatsConnection;
  now: () => Date;
}): Handler<Tables>[] => [
  onPrepared(
    MappingPublished,
    async ({ workspaceId, payload: { mappingId, version, purpose } }) =>
      purpose === 'REFERRALS_TO_PIPEDRIVE'
        ? fetchMapping(deps, { workspaceId, mappingId, version })
        : undefined,
    async (tx, _event, copy) => {
      if (copy) await insertMappingCopy(tx, copy);
    },
    { keyOf: ({ payload }) => payload.mappingId },
  ),
  // the same version with its quarantined rows left out, or whole again
  onPrepared(
    MappingDrifted,
    async ({ workspaceId, payload: { mappingId } }) =>
      fetchMapping(deps, { workspaceId, mappingId }),
    async (tx, _event, copy) => insertMappingCopy(tx, copy),
    {
      keyOf: ({ payload }) => payload.mappingId,
      concerns: ({ payload: { purpose, version } }) =>
        purpose === 'REFERRALS_TO_PIPEDRIVE' && version !== null,
    },
  ),
];
