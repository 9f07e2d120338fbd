import { z } from 'zod';
import { defineEvent } from './event.ts';
import { AccountId, ConnectionId, ContactId, DataSourceId, SyncRunId } from './ids.ts';
import { Permission, PermissionChannel } from './mappings.ts';
import { eventEnum } from './open-enum.ts';
import { EventReason } from './reasons.ts';

export const DataSourceCreated = defineEvent(
  'contacts.data_source_created.v1',
  z.object({ dataSourceId: DataSourceId, connectionId: ConnectionId }),
  ({ dataSourceId }) => ({
    target: { type: 'DataSource', id: dataSourceId },
    outcome: 'succeeded',
  }),
);

/** A person changed a data source, or what it does; its creation has an event of its own. */
export const DataSourceChanged = defineEvent(
  'contacts.data_source_changed.v1',
  z.object({
    dataSourceId: DataSourceId,
    /** Absent while a draft has none. */
    connectionId: ConnectionId.optional(),
    action: eventEnum(
      z.enum([
        'drafted',
        'updated',
        'disconnected',
        'reconnected',
        'archived',
        'restored',
        'deleted',
      ]),
    ),
    changedKeys: z.array(z.string()).max(50),
  }),
  ({ dataSourceId }) => ({
    target: { type: 'DataSource', id: dataSourceId },
    outcome: 'succeeded',
  }),
);

const counts = z.object({
  created: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  deleted: z.int(),
  skipped: z.int(),
});

export const SyncStarted = defineEvent(
  'contacts.sync_started.v1',
  z.object({
    dataSourceId: DataSourceId,
    syncRunId: SyncRunId,
    kind: eventEnum(z.enum(['INITIAL', 'INCREMENTAL'])),
  }),
  ({ syncRunId }) => ({ target: { type: 'SyncRun', id: syncRunId }, outcome: 'succeeded' }),
);

/** One page of a run is stored: a batch, never an event per record. */
export const RecordsSynced = defineEvent(
  'contacts.records_synced.v1',
  z.object({
    dataSourceId: DataSourceId,
    syncRunId: SyncRunId,
    object: eventEnum(z.enum(['person', 'organization'])),
    /** Records stored by this run so far. */
    done: z.int(),
    counts,
  }),
  ({ syncRunId }) => ({ target: { type: 'SyncRun', id: syncRunId }, outcome: 'succeeded' }),
);

export const SyncFinished = defineEvent(
  'contacts.sync_finished.v1',
  z.object({
    dataSourceId: DataSourceId,
    syncRunId: SyncRunId,
    state: eventEnum(z.enum(['SUCCEEDED', 'FAILED', 'CANCELLED'])),
    reason: EventReason.optional(),
    counts,
    costTokens: z.int(),
  }),
  ({ syncRunId, state, reason, costTokens }) => ({
    target: { type: 'SyncRun', id: syncRunId },
    outcome: runOutcomes[state],
    reason,
    costTokens,
  }),
);

const runOutcomes = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'skipped',
  unknown: 'unknown',
} as const;

/** A contact followed a change in Pipedrive outside a run. */
export const ContactChanged = defineEvent(
  'contacts.contact_changed.v1',
  z.object({
    contactId: ContactId,
    connectionId: ConnectionId,
    pipedriveId: z.string().max(64),
    action: eventEnum(z.enum(['created', 'updated', 'deleted', 'detached'])),
    changedKeys: z.array(z.string()).max(500),
  }),
  ({ contactId, connectionId, pipedriveId }) => ({
    target: { type: 'Contact', id: contactId },
    outcome: 'succeeded',
    record: { connectionId, object: 'person', pipedriveId },
  }),
);

/** An account followed a change in Pipedrive outside a run. */
export const AccountChanged = defineEvent(
  'contacts.account_changed.v1',
  z.object({
    accountId: AccountId,
    connectionId: ConnectionId,
    pipedriveId: z.string().max(64),
    action: eventEnum(z.enum(['created', 'updated', 'deleted'])),
    changedKeys: z.array(z.string()).max(500),
  }),
  ({ accountId, connectionId, pipedriveId }) => ({
    target: { type: 'Account', id: accountId },
    outcome: 'succeeded',
    record: { connectionId, object: 'organization', pipedriveId },
  }),
);

/** A person said what a contact allows; what a sync brings stands in `contact_changed`. */
export const SubscriptionChanged = defineEvent(
  'contacts.subscription_changed.v1',
  z.object({
    contactId: ContactId,
    channel: eventEnum(PermissionChannel),
    permission: eventEnum(Permission),
  }),
  ({ contactId }) => ({ target: { type: 'Contact', id: contactId }, outcome: 'succeeded' }),
);
