import { expect, test } from 'vitest';
import { parkedMessageOf } from './rules.ts';

const messageId = `ev_${'0'.repeat(32)}`;

test('an entry about a parked event names the service that keeps it', () => {
  const entry = { action: 'field-mapping.message_parked', target_id: messageId };
  expect(parkedMessageOf(entry)).toEqual({ service: 'field-mapping', messageId });
});

test.each([
  ['something else that happened', 'contacts.sync_started', messageId],
  ['a webhook, whose body is not kept', 'connections.message_parked', `wh_${'0'.repeat(32)}`],
  ['a service nobody knows', 'others.message_parked', messageId],
])('there is no message to replay for %s', (_, action, target_id) => {
  expect(parkedMessageOf({ action, target_id })).toBeUndefined();
});
