import { normaliseRecord } from '@manifold/pipedrive';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander, paths } from '../../../../test/bystander.ts';
import { stepOf } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { followRecordChange } from '../../../links/commands.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import type { SendingDeps } from '../held.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
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

test.each(['cut-before', 'cut-after'])(
  'two activities that look the same are two, also when the second has no answer (%s, SL-57)',
  async (kind) => {
    const first = await created();
    await bystander.fault(kind, { method: 'POST', path: paths.activity });
    const second = await created();

    await expectBoth(first, second);
  },
);

test('the webhook of one of two that look the same does not end the wait of the other', async () => {
  await bystander.fault('cut-before', { method: 'POST', path: paths.activity });
  const { writeRequestId } = await world.submit({ steps: [call] });
  await world.reached(writeRequestId, 'unknown');
  const other = await created();
  await tell(other);
  const [step] = await world.settled(writeRequestId);

  expect(step).toMatchObject({ state: 'applied', effect: 'created' });
  await expectBoth(other, step?.pipedrive_id);
});

test('a webhook that was taken for that of another create is taken back', async () => {
  await bystander.fault('cut-before', { method: 'POST', path: paths.activity });
  const { writeRequestId } = await world.submit({ steps: [call] });
  await world.reached(writeRequestId, 'unknown');
  const other = await created();
  await world.scoped((tx) =>
    tx
      .updateTable('write_step')
      .set({ echo_pipedrive_id: other, not_before: new Date() })
      .where('write_request_id', '=', writeRequestId)
      .execute(),
  );
  const [step] = await world.settled(writeRequestId);

  expect(step).toMatchObject({ state: 'applied', effect: 'created' });
  await expectBoth(other, step?.pipedrive_id);
});

test('what another create may just have made, whose answer is on its way, is left to it', async () => {
  await stop();
  const answer = Promise.withResolvers<void>();
  let looked = 0;
  const clientFor: SendingDeps['clientFor'] = async (...use) => {
    const client = await world.deps.clientFor(...use);
    return {
      ...client,
      createRecord: async (...create) => {
        const outcome = await client.createRecord(...create);
        if (outcome.outcome === 'ok') await answer.promise;
        return outcome;
      },
      listRecords: (...list) => {
        looked += 1;
        return client.listRecords(...list);
      },
    };
  };
  ({ stop } = world.startWorker({ clientFor, settleMs: 1_500 }));
  await bystander.fault('cut-before', { method: 'POST', path: paths.activity });
  const { writeRequestId } = await world.submit({ steps: [call] });
  await world.reached(writeRequestId, 'unknown');
  const other = await world.submit({ steps: [call] });
  await eventually(async () => expect(await bystander.list('activity')).toHaveLength(1));
  await eventually(() => expect(looked).toBeGreaterThan(0));
  await eventually(async () =>
    expect((await world.stepsOf(writeRequestId))[0]).toMatchObject({ lease_owner: null }),
  );
  answer.resolve();

  const [step] = await world.settled(other.writeRequestId);
  const [first] = await world.settled(writeRequestId);
  await expectBoth(step?.pipedrive_id ?? '', first?.pipedrive_id);
});

// builders

const call = stepOf('activity', 'create', { fields: { subject: 'Call back', type: 'call' } });

/** Two records, and each of them has a step of its own. */
async function expectBoth(one: string, other: string | null | undefined): Promise<void> {
  expect(other).not.toBe(one);
  const ids = (await bystander.list('activity')).map(({ id }) => String(id));
  expect(ids).toHaveLength(2);
  expect(new Set(ids)).toEqual(new Set([one, other]));
}

async function created(): Promise<string> {
  const { writeRequestId } = await world.submit({ steps: [call] });
  const [step] = await world.settled(writeRequestId);
  expect(step?.effect).toBe('created');
  return step?.pipedrive_id ?? '';
}

/** Its webhook arrives. */
async function tell(pipedriveId: string): Promise<void> {
  const record = normaliseRecord('activity', await bystander.read('activity', pipedriveId));
  const { workspaceId, vault } = world;
  const of = { workspaceId, companyId: world.connection.company_id, pipedriveId, record };
  const change = { ...of, object: 'activity', action: 'created' } as const;
  await world.scoped((tx) => followRecordChange(tx, change, { vault, now: new Date() }));
}
