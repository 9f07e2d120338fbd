import * as referrals from './0001-referrals.ts';
import * as attempts from './0002-attempts.ts';
import * as resending from './0090-messaging.ts';
import * as messagingUpkeep from './0091-messaging-upkeep.ts';

export const migrations = {
  '0001-referrals': referrals,
  '0002-attempts': attempts,
  '0090-messaging': resending,
  '0091-messaging-upkeep': messagingUpkeep,
};
