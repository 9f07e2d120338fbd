import { type PipedriveRecord } from '@manifold/contracts';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { allowExternalId } from '../../../fields/external-id/commands.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { decideVerified } from '../rules.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const closing: (() => Promise<void>)[] = [];
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  closing.push(world.startWorker().stop);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('with consent a new person carries an opaque id of ours, without it none', async () => {
  await write(personStep('without@example.test'));
  await allow();
  await write(personStep('with@example.test'));

  const [without, marked] = (await bystander.list('person')).map((person) => marksOf(person));
  expect(without).toEqual([]);
  expect(marked).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
});

test('a create of unknown end is known by that id, though somebody made the same person meanwhile', async () => {
  await allow();
  await write(personStep('first@example.test'));
  await bystander.fault('cut-after', { method: 'POST', path: '/api/v2/persons' });
  const { writeRequestId } = await world.submit({ steps: [personStep('same@example.test')] });
  await world.reached(writeRequestId, 'unknown');
  await bystander.create('person', {
    name: 'Ada Canary',
    emails: [{ value: 'same@example.test', primary: true }],
  });
  const [step] = await world.settled(writeRequestId);

  const persons = await bystander.list('person');
  const ours = persons.find(({ id }) => String(id) === step?.pipedrive_id);
  expect(step).toMatchObject({ state: 'applied', effect: 'created' });
  expect(ours && marksOf(ours)).toHaveLength(1);
  expect(persons).toHaveLength(3);
});

describe('a note, which carries no mark,', () => {
  const sentAt = new Date('2026-03-01T10:00:00Z');
  const sent = {
    stepId: 'st_1',
    identity: [],
    fields: { content: '<p>Hi</p>', deal_id: 7 },
    sentAt,
  };
  const note = (content: string, deal_id: number, addTime = '2026-03-01T10:00:01Z') =>
    ({
      object: 'note',
      id: `${content}${deal_id}`,
      addTime,
      updateTime: addTime,
      deleted: false,
      fields: { content, deal_id },
    }) satisfies PipedriveRecord;
  test.each<[string, PipedriveRecord[], string]>([
    ['is ours when all of it is the same', [note('<p>Hi</p>', 7)], 'ours'],
    ['is for a person to judge when only its place is', [note('Hi', 7)], 'unclear'],
    ['is absent when nothing new stands there', [note('Hi', 8)], 'absent'],
    [
      'is absent when what stands there is older',
      [note('Hi', 7, '2026-02-01T10:00:00Z')],
      'absent',
    ],
  ])('%s', (_, records, decision) => {
    expect(decideVerified(records, sent).decision).toBe(decision);
  });
});

test.each(['note', 'activity'] as const)(
  'a %s whose answer is lost is made once, at its person',
  async (object) => {
    const [person] = await write(personStep('parent@example.test'));
    await bystander.fault('cut-after', { method: 'POST' });
    const fields = object === 'note' ? { content: 'Called back' } : { subject: 'Call back' };
    const parent = personStep('parent@example.test');
    const step = {
      name: 'child',
      operation: 'create' as const,
      object,
      identity: [],
      fields,
      references: object === 'note' ? { person_id: 'person' } : {},
    };
    const [, child] = await write(parent, step);
    expect(person?.effect).toBe('created');
    expect(child).toMatchObject({ state: 'applied', effect: 'created' });
    const posts = (await bystander.requests()).filter(({ method }) => method === 'POST');
    expect(posts).toHaveLength(2);
  },
);

// builders

const write = async (...steps: ReturnType<typeof personStep>[]) =>
  world.settled((await world.submit({ steps })).writeRequestId);

const allow = () =>
  allowExternalId(world.deps, world.connection, {
    objects: ['person'],
    by: world.connection.user_id,
  });

const marksOf = (person: Record<string, unknown>): string[] =>
  Object.values(Object(person['custom_fields'])).flatMap((value) =>
    typeof value === 'string' ? [value] : [],
  );
