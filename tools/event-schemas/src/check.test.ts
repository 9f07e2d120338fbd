import { expect, test } from 'vitest';
import { listProblems } from './check.ts';
import { listSchemas } from './schemas.ts';

const one = { type: 'object' };
const folder = (...names: string[]) => new Map(names.map((name) => [name, one]));

test('equal folders have no problem', () => {
  const same = folder('a.json', 'b.json');
  expect(listProblems({ wanted: same, schemas: same, examples: same })).toEqual([]);
});

test('a stale, a missing and a left-over file are each named', () => {
  const problems = listProblems({
    wanted: folder('a.json', 'b.json', 'c.json'),
    schemas: new Map([...folder('a.json', 'x.json'), ['b.json', { type: 'string' }]]),
    examples: folder('a.json', 'b.json', 'y.json'),
  });

  expect(problems).toEqual([
    'schemas/b.json is stale or missing: npm run event-schemas',
    'schemas/c.json is stale or missing: npm run event-schemas',
    'schemas/x.json belongs to no event',
    'examples/c.json is missing',
    'examples/y.json belongs to no event',
  ]);
});

test('a schema describes the whole envelope', () => {
  const schema = listSchemas().get('workspaces.member_added.v1.json');

  expect(schema).toMatchObject({
    properties: { name: { const: 'workspaces.member_added.v1' }, payload: { type: 'object' } },
    required: expect.arrayContaining(['id', 'workspaceId', 'occurredAt', 'actor', 'payload']),
  });
});

test('a schema of today takes the events of a later release', () => {
  const schema = listSchemas().get('contacts.sync_started.v1.json');

  expect(JSON.stringify(schema)).not.toContain('"additionalProperties":false');
  expect(schema).toMatchObject({
    properties: {
      payload: {
        properties: {
          kind: {
            anyOf: [
              { enum: expect.arrayContaining(['INITIAL', 'INCREMENTAL']) },
              { type: 'string' },
            ],
          },
        },
      },
    },
  });
});
