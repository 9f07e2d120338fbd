import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { createBystander } from '../../../../test/bystander.ts';
import { type Custom, makeCustom } from '../../../../test/custom-fields.ts';
import { askerOf, personStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { markCatalogueStale } from '../../../fields/store.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { redriveStep } from '../../redriving/commands.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const custom: Custom = await makeCustom(bystander, 'personFields');
let world: World;
let stop: () => Promise<void>;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  ({ stop } = world.startWorker());
});
afterEach(() => stop());
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test.each([
  ['a text for money', () => ({ [custom.worth]: 'much' }), 'field_type_mismatch', /Worth .+ takes/],
  [
    'no day of the calendar',
    () => ({ [custom.since]: '2026-02-30' }),
    'field_type_mismatch',
    /since/,
  ],
  [
    'an option that is gone',
    () => ({ [custom.tier]: 987_654 }),
    'unknown_option',
    /Tier .+ no option/,
  ],
] as const)(
  '%s is parked at once, with the field and the way out, and takes no token',
  async (_, fieldsOf, reason, cause) => {
    await world.readPersonFields();
    const before = await bystander.ledger();
    const parked = await park(fieldsOf());

    expect(parked).toMatchObject({ reason, cost_tokens: 0, attempts: 0 });
    expect(parked?.cause).toMatch(cause);
    expect(parked?.fix).toMatch(/^Give .+ cancel it and write it anew, or use redrive/);
    expect(`${parked?.cause} ${parked?.fix}`).not.toMatch(/much|2026-02-30|987654/);
    expect((await bystander.ledger()).tokens).toBe(before.tokens);
  },
);

test('while the catalogue is to be read again, or was never read, Pipedrive judges', async () => {
  const wrong = { [custom.tier]: 987_654 };
  expect(await park(wrong)).toMatchObject({ reason: 'pipedrive_refused' });
  await world.readPersonFields();
  await world.scoped((tx) => markCatalogueStale(tx, world.connection.id, 'person'));
  expect(await park(wrong)).toMatchObject({ reason: 'pipedrive_refused' });
  expect(await park({ ['f'.repeat(40)]: 'x' })).toMatchObject({ reason: 'pipedrive_refused' });
});

test('a value the field takes by now is sent by a redrive', async () => {
  await world.readPersonFields();
  const parked = await park({ [custom.tier]: custom.gold + 2 });
  const { data } = await addOption('Platinum');
  expect(data.at(-1)?.id).toBe(custom.gold + 2);
  await world.readPersonFields();

  const asker = askerOf(world.workspaceId);
  const asked = { asker, userId: asker.actor.id, stepId: parked.id, idempotencyKey: undefined };
  await redriveStep(db, asked, new Date());
  expect(await world.settled(parked.write_request_id)).toMatchObject([{ state: 'applied' }]);
});

test('a wrong value does not keep a later write of the same person from being sent', async () => {
  await world.readPersonFields();
  await world.setConnectionTo({ status: 'DISABLED' });
  const wrong = await submit({ name: 'Ada', [custom.tier]: 987_654 });
  const right = await submit({ name: 'Grace' });
  await world.setConnectionTo({ status: 'ACTIVE' });

  expect(await world.settled(right)).toMatchObject([{ state: 'applied', effect: 'created' }]);
  expect(await world.settled(wrong, 'parked')).toMatchObject([{ reason: 'unknown_option' }]);
  expect(await bystander.list('person')).toMatchObject([{ name: 'Grace' }]);
});

test('a record to be found by a field Pipedrive does not have is parked by name, without a search', async () => {
  await world.readPersonFields();
  const before = await bystander.ledger();
  const field = 'f'.repeat(40);
  for (const code of [field, 'shop_key']) {
    const { writeRequestId } = await world.submit({
      steps: [personStep('a@x.test', { identity: [{ kind: 'field', field: code, value: '7' }] })],
    });
    const [parked] = await world.settled(writeRequestId, 'parked');
    expect(parked).toMatchObject({
      reason: 'unknown_field',
      cause: `Pipedrive has no field ${code}, by which the record was to be found.`,
      fix: expect.stringContaining('pipedriveFields'),
    });
  }
  expect((await bystander.ledger()).tokens).toBe(before.tokens);
});

// builders

const submit = async (fields: Record<string, string | number>) => {
  const emails = [{ value: 'ada@example.test', label: 'work', primary: true }];
  const step = personStep('ada@example.test', { fields: { name: 'Ada', emails, ...fields } });
  return (await world.submit({ steps: [step] })).writeRequestId;
};

async function park(fields: Record<string, string | number>) {
  const [step] = await world.settled(await submit(fields), 'parked');
  if (step === undefined) throw new Error('there is no step');
  return step;
}

const Options = z.object({ data: z.array(z.object({ id: z.number() })) });
const addOption = async (label: string) =>
  Options.parse(
    await bystander.call('POST', `/api/v2/personFields/${custom.tier}/options`, [{ label }]),
  );
