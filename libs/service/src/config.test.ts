import { expect, test } from 'vitest';
import { z } from 'zod';
import { readConfig, serviceEnvironment } from './config.ts';

const complete = {
  DATABASE_URL: 'postgres://app:pass@db/contacts',
  DATABASE_OWNER_URL: 'postgres://owner:pass@db/contacts',
  NATS_URL: 'nats://broker',
  PORT: '4004',
  IDENTITY_PUBLIC_KEY: 'key',
};

test('a complete environment is read, with defaults', () => {
  expect(readConfig(serviceEnvironment, complete)).toMatchObject({ PORT: 4004, HOST: '127.0.0.1' });
});

test('everything that is wrong is named at once, without values', () => {
  const wrong = { ...complete, DATABASE_URL: 'swordfish', PORT: 'none', NATS_URL: undefined };
  const read = () => readConfig({ ...serviceEnvironment, EXTRA: z.string() }, wrong);

  expect(read).toThrow(/DATABASE_URL[\s\S]*NATS_URL[\s\S]*PORT[\s\S]*EXTRA/);
  expect(read).not.toThrow(/swordfish|pass/);
});
