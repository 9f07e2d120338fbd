import { expect, test } from 'vitest';
import { config, masterKeysOf } from './config.ts';

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

test('a settle time shorter than a call may take is refused, but with a local Pipedrive', () => {
  expect(() => config({ ...environment, SETTLE_MS: '44999' })).toThrow(
    /SETTLE_MS: must be at least 45000/,
  );
  expect(config({ ...environment, SETTLE_MS: '45000' }).SETTLE_MS).toBe(45_000);
  const local = { PIPEDRIVE_API_DOMAINS: 'http://127.0.0.1:4700', SETTLE_MS: '500' };
  expect(config({ ...environment, ...local }).SETTLE_MS).toBe(500);
});

test('master keys are used newest first, the single one last', () => {
  const keys = [1, 2, 3].map((byte) => Buffer.alloc(32, byte));
  const [single = '', newest = '', older = ''] = keys.map((key) => key.toString('base64'));
  const env = { ...environment, MASTER_KEY: single, MASTER_KEYS: `${newest}, ${older}` };
  expect(masterKeysOf(config(env))).toEqual([keys[1], keys[2], keys[0]]);
  const alone = config({ ...environment, MASTER_KEY: undefined, MASTER_KEYS: newest });
  expect(masterKeysOf(alone)).toEqual([keys[1]]);
  expect(() => config({ ...environment, MASTER_KEYS: 'c2hvcnQ=' })).toThrow(
    /MASTER_KEYS.*32 bytes/,
  );
});

const app = {
  name: 'reader',
  clientId: 'canary-id',
  clientSecret: 's',
  redirectUrl: 'https://a.test/',
};

test('more apps are read, and one that repeats the default app is refused without quoting it', () => {
  const first = {
    PIPEDRIVE_CLIENT_ID: 'canary-id',
    PIPEDRIVE_CLIENT_SECRET: 's',
    PIPEDRIVE_REDIRECT_URL: 'https://a.test/',
  };
  const PIPEDRIVE_APPS = JSON.stringify([app]);
  expect(config({ ...environment, PIPEDRIVE_APPS }).PIPEDRIVE_APPS).toEqual([app]);
  expect(() => config({ ...environment, ...first, PIPEDRIVE_APPS })).toThrow(
    /^(?!.*canary)[^]*repeats the app/,
  );
  expect(() => config({ ...environment, PIPEDRIVE_APPS: '[{}]' })).toThrow(
    /PIPEDRIVE_APPS: 0\.name/,
  );
  expect(() => config({ ...environment, TERMS_VERSION: '1' })).toThrow(/belong together/);
});

test('half an app is refused, and no value is quoted', () => {
  expect(() => config({ ...environment, PIPEDRIVE_CLIENT_ID: 'canary' })).toThrow(
    /^(?!.*canary)[^]*belong together/,
  );
});
