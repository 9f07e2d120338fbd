import type { SyncedObject } from '../store.ts';

/** Where a person finds the record in Pipedrive's web application. */
export const recordUrl = (companyUrl: string, object: SyncedObject, pipedriveId: string): string =>
  `${companyUrl}/${object}/${encodeURIComponent(pipedriveId)}`;
