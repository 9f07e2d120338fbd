import * as mappings from './0001-mappings.ts';
import * as drift from './0002-drift.ts';
import * as display from './0003-display.ts';
import * as resending from './0090-messaging.ts';
import * as messagingUpkeep from './0091-messaging-upkeep.ts';

export const migrations = {
  '0001-mappings': mappings,
  '0002-drift': drift,
  '0003-display': display,
  '0090-messaging': resending,
  '0091-messaging-upkeep': messagingUpkeep,
};
