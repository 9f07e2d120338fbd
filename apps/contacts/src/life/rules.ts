import type { SourceState } from '../sources/tables.ts';

/** What a person does to a data source. */
export type Act = 'disconnect' | 'reconnect' | 'archive' | 'restore' | 'delete';

export interface No {
  because: string;
  detail: { reason: string; fix: string };
}

const DRAFT: No = {
  because: 'is not set up yet',
  detail: {
    reason: 'data_source_incomplete',
    fix: 'Complete it with updateDataSource and startSync, or delete it.',
  },
};
const DISCONNECTED: No = {
  because: 'is disconnected',
  detail: { reason: 'data_source_disconnected', fix: 'Reconnect it with reconnectDataSource.' },
};
const ARCHIVED: No = {
  because: 'is archived',
  detail: { reason: 'data_source_archived', fix: 'Restore it with restoreDataSource.' },
};
const DELETED: No = {
  because: 'was deleted',
  detail: { reason: 'data_source_deleted', fix: 'Create a new data source.' },
};
const FOLLOWING: No = {
  because: 'is not archived',
  detail: { reason: 'data_source_set_up', fix: 'Reconnect it, if it is disconnected.' },
};

/** A state is where the act leads, itself when there is nothing left to do; otherwise why not. */
const acts: Record<Act, Record<SourceState, SourceState | No>> = {
  disconnect: { DRAFT, ACTIVE: 'DISCONNECTED', DISCONNECTED: 'DISCONNECTED', ARCHIVED, DELETED },
  reconnect: { DRAFT, ACTIVE: 'ACTIVE', DISCONNECTED: 'ACTIVE', ARCHIVED, DELETED },
  archive: { DRAFT, ACTIVE: 'ARCHIVED', DISCONNECTED: 'ARCHIVED', ARCHIVED: 'ARCHIVED', DELETED },
  // nothing is read again before somebody reconnects it
  restore: {
    DRAFT,
    ACTIVE: FOLLOWING,
    DISCONNECTED: 'DISCONNECTED',
    ARCHIVED: 'DISCONNECTED',
    DELETED,
  },
  delete: {
    ...{ DRAFT: 'DELETED', ACTIVE: 'DELETED', DISCONNECTED: 'DELETED', ARCHIVED: 'DELETED' },
    DELETED: 'DELETED',
  },
};

export const decideAct = (act: Act, state: SourceState): SourceState | No => acts[act][state];

/** Why nothing is read for a source; undefined when it follows its connection. */
export const notFollowing = (state: SourceState): No | undefined =>
  ({ DRAFT, ACTIVE: undefined, DISCONNECTED, ARCHIVED, DELETED })[state];
