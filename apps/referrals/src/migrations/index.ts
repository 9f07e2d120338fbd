import * as referrals from './0001-referrals.ts';
import * as attempts from './0002-attempts.ts';

export const migrations = { '0001-referrals': referrals, '0002-attempts': attempts };
