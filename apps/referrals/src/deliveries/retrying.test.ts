import {
  type EventDefinition,
  StepSettled,
  UserId,
  WriteRequestId,
  WriteRequestSettled,
  WriteStepId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { publish } from '@manifold/messaging';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestNats,
} from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { z } from 'zod';
import { RETRY } from '../../test/operations.ts';
import { startReferrals } from '../../test/referrals.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
const referrals = await startReferrals({ db, nats, log: silentLog, startTestGraph });
const { workspaceId, connectionId, neighbours, graph, openCampaign, userOf } = referrals;
const { state } = neighbours;
const stopConnections = neighbours.startConnections();
const stopFieldMapping = neighbours.startFieldMapping();
let campaignId = '';

beforeEach(async () => {
  state.refusal = undefined;
  state.commands.length = 0;
  campaignId ||= await openCampaign();
});
afterAll(async () => {
  await referrals.stop();
  await stopConnections();
  await stopFieldMapping();
  await stop();
  await drop();
});

test('a delivery that waits shows its write request before anything is settled', async () => {
  const id = await signUp('waits@example.com');
  await requestOf(id);
  expect((await userOf(id)).delivery.state).toBe('QUEUED');
});

test('what Pipedrive refused is sent again in place of the first request', async () => {
  const id = await signUp('refused@example.com');
  const first = await requestOf(id);
  const refused = { outcome: 'parked', reason: 'pipedrive_refused' } as const;
  await settleStep(id, first, refused);
  await settleRequest(id, first, refused);
  const { fix } = await inState(id, 'PARKED');
  expect(fix).toContain('retryDelivery');

  await retry(id);
  expect(await inState(id, 'QUEUED')).toMatchObject({ reason: null, fix: null });
  const second = await requestOf(id);
  expect(
    state.commands.map(({ idempotencyKey, supersedes }) => [idempotencyKey, supersedes]),
  ).toEqual([
    [id, undefined],
    [`${id}#2`, id],
  ]);
  expect(second).not.toBe(first);

  await settleRequest(id, first, { outcome: 'cancelled' });
  await settleStep(id, second, { outcome: 'applied', pipedriveId: '7' });
  await eventually(async () => {
    expect((await userOf(id)).delivery).toMatchObject({
      state: 'QUEUED',
      request: { id: second },
      person: { pipedriveId: '7' },
    });
  });
});

test('a sign-up whose request was cancelled can be sent after all', async () => {
  const id = await signUp('cancelled@example.com');
  await settleRequest(id, await requestOf(id), { outcome: 'cancelled' });
  expect((await inState(id, 'SKIPPED')).fix).toContain('retryDelivery');

  await retry(id);
  await requestOf(id);
  expect(state.commands.at(-1)).toMatchObject({ idempotencyKey: `${id}#2`, supersedes: id });
});

test('what somebody sends again goes in their name; a sign-up comes by itself (SL-11, SL-13)', async () => {
  const id = await signUp('by-hand@example.com');
  await settleRequest(id, await requestOf(id), { outcome: 'cancelled' });
  await inState(id, 'SKIPPED');
  const kim = newId('us', UserId);
  await retry(id, { userId: kim });
  await requestOf(id);
  const sent = state.commands.map(({ actingUserId, actor }) => [actingUserId, actor.kind]);
  expect(sent).toEqual([
    [undefined, 'user'],
    [kim, 'user'],
  ]);
});

test('where the first request was written after all, it stands', async () => {
  const id = await signUp('late@example.com');
  const first = await requestOf(id);
  await settleStep(id, first, { outcome: 'parked', reason: 'pipedrive_refused' });
  await inState(id, 'PARKED');
  const written = { reason: 'already_written', fix: 'Use the mutation redrive.' };
  state.refusal = new Refusal('precondition', 'It keeps its place', written);
  await retry(id);

  const parked = await inState(id, 'PARKED');
  expect(parked).toMatchObject({ ...written, request: { id: first } });
  const { errors } = await graph(RETRY, { input: { referralUserId: id } });
  expect(errors[0].extensions.fix).toContain('redrive');
});

async function signUp(email: string): Promise<string> {
  return (await referrals.signUp({ campaignId, email })).referralUser.id;
}

async function retry(referralUserId: string, caller: { userId?: UserId } = {}): Promise<void> {
  const { errors } = await graph(RETRY, { input: { referralUserId } }, caller);
  expect(errors).toBeUndefined();
}

const requestOf = (id: string): Promise<WriteRequestId> =>
  eventually(async () => WriteRequestId.parse((await userOf(id)).delivery.request?.id));

const inState = (id: string, wanted: string) =>
  eventually(async () => {
    const { delivery } = await userOf(id);
    expect(delivery.state).toBe(wanted);
    return delivery;
  });

type StepEnding = z.output<(typeof StepSettled)['envelope']>['payload'];
type RequestEnding = z.output<(typeof WriteRequestSettled)['envelope']>['payload'];

const about = (userId: string, writeRequestId: WriteRequestId) => ({
  connectionId,
  writeRequestId,
  cause: { service: 'referrals', type: 'ReferralUser', id: userId },
  costTokens: 5,
});

const settleStep = (
  userId: string,
  request: WriteRequestId,
  ending: Pick<StepEnding, 'outcome'> & Partial<StepEnding>,
) =>
  tell(StepSettled, userId, {
    ...about(userId, request),
    stepId: newId('st', WriteStepId),
    stepName: 'person',
    object: 'person',
    operation: 'none',
    changedKeys: [],
    ...ending,
  });

const settleRequest = (
  userId: string,
  request: WriteRequestId,
  ending: Pick<RequestEnding, 'outcome'> & Partial<RequestEnding>,
) => tell(WriteRequestSettled, userId, { ...about(userId, request), ...ending });

async function tell<Definition extends EventDefinition>(
  definition: Definition,
  key: string,
  payload: z.output<Definition['envelope']>['payload'],
): Promise<void> {
  const actor = { kind: 'service' as const, id: 'connections' };
  const origin = { workspaceId, actor, correlationId: 'writes' };
  await withWorkspace(db, workspaceId, (tx) =>
    publish(tx, definition, { origin, key, payload, now: new Date() }),
  );
}
