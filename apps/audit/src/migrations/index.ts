import * as ledger from './0001-ledger.ts';

export const migrations = { '0001-ledger': ledger };
