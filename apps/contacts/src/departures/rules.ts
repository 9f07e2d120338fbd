import type { RecordLink } from '../store.ts';

/**
 * - `remember`: the record is known as gone; nothing here belonged to it alone or to it any more.
 * - `delete`: its contact or account came from it alone and goes with it (A12).
 * - `detach`: other records still stand behind the contact or account.
 * - `hand_over`: the survivor of the merge is not here yet and takes over the contact or account.
 */
export type Departure = 'remember' | 'delete' | 'detach' | 'hand_over';

/** The record that survived a merge; `unknown` when it is not here, `none` when there was no merge. */
export type Survivor = 'none' | 'unknown' | 'here' | 'gone';

/** What a deletion or merge in Pipedrive does to the contact or account of the record. */
export function decideDeparture(options: {
  link: Pick<RecordLink, 'entity_id' | 'deleted_at'>;
  survivor: Survivor;
  /** True: the survivor leads to the same contact or account already. */
  shared: boolean;
  /** Live links to the contact or account besides this one. */
  otherLinks: number;
}): Departure {
  const { link, survivor, shared, otherLinks } = options;
  if (link.entity_id === null || link.deleted_at !== null || shared) return 'remember';
  if (survivor === 'unknown') return 'hand_over';
  return otherLinks > 0 ? 'detach' : 'delete';
}
