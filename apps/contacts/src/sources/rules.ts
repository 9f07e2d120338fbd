import type { DataSource, ReadySource, SyncedObject } from './tables.ts';

/** Where a person finds the record in Pipedrive's web application. */
export const recordUrl = (companyUrl: string, object: SyncedObject, pipedriveId: string): string =>
  `${companyUrl}/${object}/${encodeURIComponent(pipedriveId)}`;

/** Undefined: a part is not chosen yet. */
export function readyOf(source: DataSource): ReadySource | undefined {
  const { connection_id, company_url, mapping_id, mapping_version } = source;
  if (!connection_id || !company_url || !mapping_id || mapping_version === null) return undefined;
  return { ...source, connection_id, company_url, mapping_id, mapping_version };
}
