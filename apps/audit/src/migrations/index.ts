import * as ledger from './0001-ledger.ts';
import * as actorKeys from './0002-actor-keys.ts';
import * as resending from './0090-messaging.ts';
import * as messagingUpkeep from './0091-messaging-upkeep.ts';

export const migrations = {
  '0001-ledger': ledger,
  '0002-actor-keys': actorKeys,
  '0090-messaging': resending,
  '0091-messaging-upkeep': messagingUpkeep,
};
