import { expect, test } from 'vitest';
import { config } from './config.ts';

const environment = {
  DATABASE_URL: 'postgres://app@localhost/connections',
  DATABASE_OWNER_URL: 'postgres://owner@localhost/connections',
  NATS_URL: 'nats://localhost',
  PORT: '4002',
  IDENTITY_PUBLIC_KEY: 'key',
  PUBLIC_URL: 'http://127.0.0.1:4002',
  MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
};

test('the service reads its environment, lists by comma', () => {
  const read = config({
    ...environment,
    PIPEDRIVE_API_DOMAINS: 'http://127.0.0.1:4700, http://localhost:4700',
  });
  expect(read.MASTER_KEY).toHaveLength(32);
  expect(read.PIPEDRIVE_API_DOMAINS).toEqual(['http://127.0.0.1:4700', 'http://localhost:4700']);
  expect([read.RETURN_URLS, read.PIPEDRIVE_CLIENT_ID]).toEqual([[], undefined]);
});

test.each([
  ['is missing', { MASTER_KEY: undefined }, /MASTER_KEY: is required/],
  ['is too short', { MASTER_KEY: 'c2hvcnQ=' }, /MASTER_KEY: must be 32 bytes/],
])(
  'the service does not start when its master key %s, in production or not',
  (_, change, message) => {
    for (const NODE_ENV of ['production', 'development']) {
      expect(() => config({ ...environment, ...change, NODE_ENV })).toThrow(message);
    }
  },
);

test('half an app is refused, and no value is quoted', () => {
  expect(() => config({ ...environment, PIPEDRIVE_CLIENT_ID: 'canary' })).toThrow(
    /^(?!.*canary)[^]*belong together/,
  );
});
