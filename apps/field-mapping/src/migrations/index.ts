import * as mappings from './0001-mappings.ts';

export const migrations = { '0001-mappings': mappings };
