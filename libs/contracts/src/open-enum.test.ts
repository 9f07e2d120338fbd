import { expect, test } from 'vitest';
import { z } from 'zod';
import { EventReason, Identity, MessageParked, parseForWriting } from './index.ts';

const newer = { messageId: 'ev_1', messageName: 'x', reason: 'a_reason_of_next_year', attempts: 1 };

test('an event with a reason of a later release is read, its reason as unknown', () => {
  expect(MessageParked.contacts.summarise(newer)).toMatchObject({ reason: 'unknown_reason' });
  expect(EventReason.parse('handler_failed')).toBe('handler_failed');
});

test('a reason that is missing or no text is an error, and one that may be absent stays absent', () => {
  const optional = z.object({ reason: EventReason.optional() });
  expect(optional.parse({})).toEqual({});
  expect(() => z.object({ reason: EventReason }).parse({})).toThrow();
  expect(() => EventReason.parse(7)).toThrow();
});

test('nothing is published with a reason nobody knows', () => {
  expect(() => parseForWriting(EventReason, 'a_reason_of_next_year')).toThrow();
  expect(parseForWriting(EventReason, 'record_gone')).toBe('record_gone');
  expect(EventReason.parse('a_reason_of_next_year')).toBe('unknown_reason');
});

test('schemas of events name the reasons there are', () => {
  expect(z.toJSONSchema(EventReason)).toMatchObject({
    enum: expect.arrayContaining(['record_gone']),
  });
});

test('an identity signed by a later release is read without the features this one does not know', () => {
  const identity = {
    workspaceId: 'ws_01890000000070008000000000000001',
    userId: 'us_01890000000070008000000000000001',
    ...{ role: 'OWNER', apiKeyId: 'ak_01890000000070008000000000000001' },
    entitlements: ['bulk_changes', 'a_feature_of_next_year'],
  };
  expect(Identity.parse(identity).entitlements).toEqual(['bulk_changes']);
});
