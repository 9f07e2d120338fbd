import * as contacts from './0001-contacts.ts';
import * as sizes from './0002-sizes.ts';
import * as sourceLife from './0010-source-life.ts';
import * as sourceActivity from './0011-source-activity.ts';
import * as subscriptions from './0012-subscriptions.ts';
import * as resending from './0090-messaging.ts';
import * as messagingUpkeep from './0091-messaging-upkeep.ts';

export const migrations = {
  '0001-contacts': contacts,
  '0002-sizes': sizes,
  '0010-source-life': sourceLife,
  '0011-source-activity': sourceActivity,
  '0012-subscriptions': subscriptions,
  '0090-messaging': resending,
  '0091-messaging-upkeep': messagingUpkeep,
};
