import type { Origin } from '@manifold/messaging';
import type { ChangeSet } from './store.ts';

/** Whoever asked for a set stands behind what happens to it. */
export const originOf = (set: ChangeSet): Origin => ({
  workspaceId: set.workspace_id,
  actor: { kind: set.actor_kind, id: set.actor_id },
  correlationId: set.correlation_id,
});

export const causeOf = (set: ChangeSet) => ({
  service: set.cause_service,
  type: set.cause_type,
  id: set.cause_id,
});

/** What the ledger enters calls for a set under: the service that asked for it, else what is done. */
export const featureOf = (
  { cause_service }: Pick<ChangeSet, 'cause_service'>,
  work: 'planning' | 'applying',
): string => (cause_service === 'connections' ? `change_set_${work}` : cause_service);
