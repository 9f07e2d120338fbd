import type { ChangeSet } from './store.ts';

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
