import * as contacts from './0001-contacts.ts';
import * as sizes from './0002-sizes.ts';
import * as resending from './0090-messaging.ts';
import * as messagingUpkeep from './0091-messaging-upkeep.ts';

export const migrations = {
  '0001-contacts': contacts,
  '0002-sizes': sizes,
  '0090-messaging': resending,
  '0091-messaging-upkeep': messagingUpkeep,
};
