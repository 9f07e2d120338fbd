import type { SyncedObject } from '../store.ts';

/** The company's own address in Pipedrive, whatever form connections knows it in. */
export function companyUrl(companyDomain: string): string {
  if (companyDomain.includes('://')) return companyDomain.replace(/\/+$/, '');
  return `https://${companyDomain.includes('.') ? companyDomain : `${companyDomain}.pipedrive.com`}`;
}

/** Where a person finds the record in Pipedrive's web application. */
export const recordUrl = (
  companyDomain: string,
  object: SyncedObject,
  pipedriveId: string,
): string => `${companyUrl(companyDomain)}/${object}/${encodeURIComponent(pipedriveId)}`;
