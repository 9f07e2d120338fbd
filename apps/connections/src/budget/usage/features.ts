/**
 * What our own work is entered in the ledger for; `ApiUsageGrouping.FEATURE` says them to people.
 * Writes are entered for the service that asked for them.
 */
export type OwnFeature =
  /** Who the user of a credential is, at the start and daily. */
  | 'connecting'
  /** Reading which fields and choices there are. */
  | 'field_catalogue'
  /** Making fields and choices. */
  | 'field_creation'
  /** Making, looking at and removing subscriptions. */
  | 'webhook_upkeep'
  /** Reading what lost webhooks would have told. */
  | 'sweeps'
  /** Reading everything: first scans and comparisons. */
  | 'certificates'
  /** Records for the other services, for example for a sync. */
  | 'reads'
  /** Records for somebody who looks at them. */
  | 'live'
  /** Finding the records of keys before a write. */
  | 'writes'
  | 'change_set_planning'
  | 'change_set_applying';
