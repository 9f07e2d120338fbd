import * as workspaces from './0001-workspaces.ts';
import * as resending from './0090-messaging.ts';
import * as messagingUpkeep from './0091-messaging-upkeep.ts';

export const migrations = {
  '0001-workspaces': workspaces,
  '0090-messaging': resending,
  '0091-messaging-upkeep': messagingUpkeep,
};
