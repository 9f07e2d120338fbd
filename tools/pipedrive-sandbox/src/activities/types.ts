import type { Handlers } from '../http/api-request.ts';
import { data } from '../http/reply.ts';
import { listUsers } from '../users/users.ts';

const TYPES = ['call', 'meeting', 'task', 'deadline', 'email', 'lunch'].map((key, at) => ({
  id: at + 1,
  key,
  name: `${key.charAt(0).toUpperCase()}${key.slice(1)}`,
}));

export const FIRST_TYPE = 'call';

export function isActivityType(key: unknown): boolean {
  return TYPES.some((type) => type.key === key);
}

export const activityTypeHandlers: Handlers = {
  'v1 getActivityTypes': (_, { db }) => {
    const time = listUsers(db)[0]?.created ?? '';
    const types = TYPES.map(({ id, key, name }, at) => ({
      id,
      order_nr: at + 1,
      name,
      key_string: key,
      icon_key: key,
      active_flag: true,
      color: null,
      is_custom_flag: false,
      add_time: time,
      update_time: time,
    }));
    return data(types);
  },
};
