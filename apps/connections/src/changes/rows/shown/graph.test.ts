import { UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
  type TestCaller,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { createBystander } from '../../../../test/bystander.ts';
import { createChanging } from '../../../../test/changing.ts';
import { createPeople } from '../../../../test/people.ts';
import { setSubgraph } from '../../../../test/set-graph.ts';
import { createWorld } from '../../../../test/writing.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: sender.wake });
let statements = 0;
const counting = db.withPlugin({
  transformQuery: ({ node }) => {
    statements += 1;
    return node;
  },
  transformResult: ({ result }) => Promise.resolve(result),
});
const wakes = { sender: sender.wake, worker: worker.wake };
const { graph, stop } = await startTestGraph({
  ...setSubgraph(world, wakes, counting),
  caller: { workspaceId: world.workspaceId },
});
const codes: Record<'tier' | 'budget', string> = { tier: '', budget: '' };
let gold = 0;

const made = z.object({
  data: z.object({
    field_code: z.string(),
    options: z.array(z.object({ id: z.number() })).nullish(),
  }),
});

beforeAll(async () => {
  const tier = { field_name: 'Tier', field_type: 'enum', options: [{ label: 'Gold' }] };
  const budget = { field_name: 'Budget', field_type: 'monetary' };
  const { data } = made.parse(await bystander.call('POST', '/api/v2/personFields', tier));
  codes.tier = data.field_code;
  gold = data.options?.[0]?.id ?? 0;
  const other = made.parse(await bystander.call('POST', '/api/v2/personFields', budget));
  codes.budget = other.data.field_code;
  await world.readPersonFields();
});

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await stop();
  await pipedrive.stop();
  await drop();
});

const PLAN = `mutation ($input: PlanChangeSetInput!) { planChangeSet(input: $input) {
  changeSet { id } } }`;
const READ = `query ($id: ID!) { changeSet(id: $id) { state hash outcomes { parked skipped }
  counts { reason count }
  changes(first: 10) { nodes { state effect reason cause fix candidates pipedriveUrl changedKeys
    fields { code name type before after beforeText afterText } } } } }`;

const row = (id: number | undefined, fields: Record<string, unknown>) => ({
  object: 'PERSON',
  identity: [{ kind: 'PIPEDRIVE_ID', value: String(id) }],
  fields: Object.entries(fields).map(([code, value]) => ({ code, value })),
});

const ask = (changes: readonly object[], more: object = {}) =>
  graph(PLAN, { input: { connectionId: world.connection.id, title: 'Shown', changes, ...more } });

const read = async (id: string, caller: TestCaller = {}) =>
  (await graph(READ, { id }, caller)).data.changeSet;

const planned = async (changes: readonly object[]) => {
  const { id } = (await ask(changes)).data.planChangeSet.changeSet;
  const shown = await eventually(async () => {
    const set = await read(id);
    expect(['AWAITING_APPROVAL', 'DONE']).toContain(set.state);
    return set;
  });
  return { id, shown };
};

test('a preview names each field, its type, and its values as people read them', async () => {
  const [one] = await makePersons(1);
  const fields = { [codes.tier]: gold, [codes.budget]: { value: 12.5, currency: 'EUR' } };
  const { shown } = await planned([row(one, fields)]);
  const [change] = shown.changes.nodes;
  expect(change.pipedriveUrl).toBe(`${pipedrive.url}/person/${one}`);
  expect(change.fields).toEqual([
    {
      ...{ code: codes.tier, name: 'Tier', type: 'enum' },
      ...{ before: null, after: gold, beforeText: null, afterText: 'Gold' },
    },
    {
      ...{ code: codes.budget, name: 'Budget', type: 'monetary', before: null },
      ...{ after: fields[codes.budget], beforeText: null, afterText: '12.50 EUR' },
    },
  ]);
});

test('a page of changes takes no more statements than one change', async () => {
  const many = await makePersons(8);
  const count = async (rows: readonly object[]) => {
    const { id } = await planned(rows);
    const before = statements;
    expect((await read(id)).changes.nodes).toHaveLength(rows.length);
    return statements - before;
  };
  const rows = many.map((person) => row(person, { [codes.tier]: gold }));
  const forOne = await count(rows.slice(0, 1));
  expect(forOne).toBeGreaterThan(3);
  expect(await count(rows.slice(1))).toBe(forOne);
});

test('a row that is left out says why and what to do, in the graph too', async () => {
  const [one] = await makePersons(1);
  const { shown } = await planned([
    row(one, { name: 'After' }),
    row(one, { [codes.tier]: 'Gold' }),
    row(999_999, { name: 'Nobody' }),
  ]);
  expect(shown.changes.nodes).toMatchObject([
    { effect: 'UPDATE', reason: null, cause: null, fix: null },
    {
      effect: 'NONE',
      reason: 'unknown_option',
      cause: `The field Tier (${codes.tier}) has no option of this id.`,
      fix: `This is the label of an option: give its id, ${gold}.`,
      pipedriveUrl: null,
    },
    { effect: 'NONE', reason: 'record_not_found', cause: expect.any(String) },
  ]);
});

test('several matches are parked with the candidates, and counted as parked', async () => {
  const emails = [{ value: 'both@example.test', label: 'work', primary: true }];
  const one = await bystander.create('person', { name: 'One', emails });
  const two = await bystander.create('person', { name: 'Two', emails });
  const identity = [{ kind: 'EMAIL', value: 'both@example.test' }];
  const { id } = await planned([{ ...row(1, { name: 'After' }), identity }]);
  const shown = await eventually(async () => {
    const set = await read(id);
    expect(set.state).toBe('DONE');
    return set;
  });
  expect(shown).toMatchObject({
    outcomes: { parked: 1, skipped: 0 },
    counts: [{ reason: 'several_matches', count: 1 }],
    changes: {
      nodes: [
        {
          state: 'PARKED',
          candidates: [String(one.id), String(two.id)],
          cause: expect.stringContaining('candidates'),
          fix: expect.stringContaining('PIPEDRIVE_ID'),
        },
      ],
    },
  });
});

test('values of a set through a personal connection are shown to its owner alone', async () => {
  const [one] = await makePersons(1);
  const { id } = await planned([row(one, { name: 'After' })]);
  const owner = newId('us', UserId);
  await world.setConnectionTo({ kind: 'PERSONAL', user_id: owner });
  const [theirs, own, viewed] = [
    await read(id),
    await read(id, { userId: owner }),
    await read(id, { userId: owner, role: 'VIEWER' }),
  ];
  await world.setConnectionTo({ kind: 'ORGANIZATION' });
  expect(theirs.changes.nodes).toMatchObject([{ changedKeys: ['name'], fields: null }]);
  expect(own.changes.nodes[0].fields).toMatchObject([{ after: 'After', afterText: 'After' }]);
  expect(viewed.changes.nodes[0].fields).toBeNull();
});

test.each([
  ['nothing at all', () => [], 'input.changes'],
  [
    'an id that cannot be one',
    () => [row(1, { name: 'x' }), row(-1, { name: 'x' })],
    'input.changes.1.identity.0.value',
  ],
  [
    'one field twice',
    () => [{ ...row(1, {}), fields: ['name', 'name'].map((code) => ({ code, value: 'x' })) }],
    'input.changes.0.fields.1.code',
  ],
  [
    'a field only Pipedrive sets',
    () => [row(1, { name: 'x', id: 12 })],
    'input.changes.0.fields.1.code',
  ],
  [
    'an update of nobody',
    () => [{ ...row(1, { name: 'x' }), operation: 'UPDATE', identity: [] }],
    'input.changes.0.identity',
  ],
  [
    'an identity by a field that is not named',
    () => [{ ...row(1, { name: 'x' }), identity: [{ kind: 'FIELD', value: 'x' }] }],
    'input.changes.0.identity.0.field',
  ],
] as const)('%s is refused with its place and the way out', async (_, changesOf, field) => {
  const { errors } = await ask(changesOf());
  expect(errors[0].extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    reason: 'invalid_input',
    field,
    fix: expect.stringMatching(/^[A-Z].+\.$/),
  });
});

test('a set that stays open may begin empty', async () => {
  const { errors } = await ask([], { staysOpen: true });
  expect(errors).toBeUndefined();
});

test('every bad id is named, up to twenty of them', async () => {
  const { errors } = await ask(Array.from({ length: 30 }, () => row(-1, { name: 'x' })));
  expect(errors[0].message).toContain('19.identity.0.value');
  expect(errors[0].message).toContain('and 10 more');
});

test('all that is wrong with the rows is told at once, whoever finds it', async () => {
  const rows = [row(1, { name: 'x', id: 12 }), row(1, { name: 'x' }), row(-1, { name: 'a\0' })];
  const { errors } = await ask(rows);
  expect(errors[0].extensions.field).toBe('input.changes.0.fields.1.code');
  for (const place of ['0.fields.1.code', '2.identity.0.value', '2.fields.0.value']) {
    expect(errors[0].message).toContain(`input.changes.${place}: `);
  }
  expect(errors[0].message).not.toContain('input.changes.1.');
});
