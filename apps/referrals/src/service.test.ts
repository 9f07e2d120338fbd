import {
  type EventDefinition,
  FieldMappingId,
  MappingDrifted,
  MappingPublished,
  StepSettled,
  WriteRequestId,
  WriteRequestSettled,
  WriteStepId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { publish } from '@manifold/messaging';
import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestGraph,
  startTestNats,
} from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { z } from 'zod';
import { row, rows } from '../test/neighbours.ts';
import { LAUNCH, RETRY, SAVE } from '../test/operations.ts';
import { startReferrals } from '../test/referrals.ts';
import { migrations } from './migrations/index.ts';
import type { Tables } from './store.ts';

const now = () => new Date();
const { log, lines } = captureLog();
const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
const referrals = await startReferrals({ db, nats, log, startTestGraph });
const { workspaceId, connectionId, mappingId, neighbours, graph, openCampaign, userOf } = referrals;
const { state } = neighbours;
let stopConnections = neighbours.startConnections();
let stopFieldMapping = neighbours.startFieldMapping();
let campaignId = '';

beforeEach(async () => {
  state.refusal = undefined;
  state.commands.length = 0;
  state.mapping = { ...state.mapping, rows };
  campaignId = await openCampaign();
});
afterAll(async () => {
  await referrals.stop();
  await stopConnections();
  await stopFieldMapping();
  await stop();
  await drop();
});

test('a sign-up is stored with its link and sent once, as person and lead (RF-01, RF-28)', async () => {
  const { referralUser, created } = await signUp({ email: 'ada@example.com' });

  expect(created).toBe(true);
  expect(referralUser).toMatchObject({
    link: `https://ref.acme.test/${referralUser.code}`,
    source: 'DIRECT',
    delivery: { state: 'QUEUED', mappingVersion: state.mapping.version },
  });
  const command = await commandOf(referralUser.id);
  expect(command).toMatchObject({
    connectionId,
    lane: 'interactive',
    idempotencyKey: referralUser.id,
    mapping: { id: mappingId, version: state.mapping.version },
    cause: { service: 'referrals', type: 'ReferralUser', id: referralUser.id },
    actor: { kind: 'user' },
  });
  expect(command?.steps.map(({ name, guard }) => [name, guard])).toEqual([
    ['person', 'always'],
    ['lead', 'if_previous_applied'],
  ]);
});

test('connections and field-mapping may be away: the sign-up is kept and sent later (RF-31)', async () => {
  await stopConnections();
  await stopFieldMapping();
  const { referralUser } = await signUp({ email: 'away@example.com' });
  expect(referralUser.delivery.state).toBe('QUEUED');
  expect(state.commands).toEqual([]);

  stopConnections = neighbours.startConnections();
  stopFieldMapping = neighbours.startFieldMapping();
  expect(await commandOf(referralUser.id)).toBeDefined();
});

test('an e-mail signs up once, whatever its case, even at the same instant (RF-26)', async () => {
  const emails = ['Bo@example.com', 'bo@example.com', 'BO@EXAMPLE.COM', 'bo@example.com'];
  const answers = await Promise.all(emails.map((email) => signUp({ email })));

  expect(new Set(answers.map(({ referralUser }) => referralUser.id)).size).toBe(1);
  expect(answers.filter(({ created }) => created)).toHaveLength(1);
  await commandOf(answers[0].referralUser.id);
  expect(state.commands).toHaveLength(1);
});

test('while field-mapping is away a campaign opens on the mapping at hand, and on no other', async () => {
  await stopFieldMapping();
  const launch = async (settings: object) => {
    const input = { name: 'New', connectionId, mappingId, ...settings };
    const { data } = await graph(SAVE, { input });
    return graph(LAUNCH, { input: { id: data.saveCampaign.campaign.id } });
  };
  const known = await launch({});
  const unknown = await graph(SAVE, {
    input: { name: 'New', connectionId, mappingId: newId('fm', FieldMappingId) },
  });
  stopFieldMapping = neighbours.startFieldMapping();

  expect(known.data.launchCampaign.campaign.state).toBe('OPEN');
  expect(unknown.errors[0].extensions).toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    reason: 'service_unavailable',
  });
});

test('what was written shows on the sign-up, and one event tells of it (RF-29)', async () => {
  const { referralUser } = await signUp({ email: 'done@example.com' });
  const settled = await settle(referralUser.id);

  await eventually(async () => {
    expect((await userOf(referralUser.id)).delivery).toMatchObject({
      state: 'DELIVERED',
      reason: null,
      request: { id: settled.writeRequestId },
      person: { pipedriveId: '7', pipedriveUrl: 'https://acme.pipedrive.com/person/7' },
      lead: { pipedriveId: 'lead-1', pipedriveUrl: null },
    });
  });
  expect(await eventsOf(referralUser.id, 'referrals.delivery_settled.v1')).toMatchObject([
    { correlationId: 'writes', payload: { outcome: 'DELIVERED', campaignId } },
  ]);
});

test('what connections refuses for good is parked with the reason, and sent again when asked (RF-31)', async () => {
  state.refusal = new Refusal('invalid', 'There is no field x', {
    reason: 'unknown_field',
    fix: 'Choose another field.',
  });
  const { referralUser } = await signUp({ email: 'refused@example.com' });
  const parked = await eventually(async () => {
    const { delivery } = await userOf(referralUser.id);
    expect(delivery.state).toBe('PARKED');
    return delivery;
  });
  expect(parked).toMatchObject({
    reason: 'unknown_field',
    fix: expect.stringContaining('Choose another field.'),
  });

  state.refusal = undefined;
  await retry(referralUser.id);
  expect((await retry(referralUser.id)).delivery).toMatchObject({ state: 'QUEUED', reason: null });
  await commandOf(referralUser.id);
  expect(state.commands).toHaveLength(1);
});

test('a delivery of which the person is written is redriven in connections, not sent twice', async () => {
  const { referralUser } = await signUp({ email: 'twins@example.com' });
  await settle(referralUser.id, undefined, { outcome: 'parked', reason: 'scope_missing' });
  await eventually(async () => {
    expect((await userOf(referralUser.id)).delivery.state).toBe('PARKED');
  });

  const { errors } = await graph(RETRY, { input: { referralUserId: referralUser.id } });
  expect(errors[0].extensions).toMatchObject({
    code: 'PRECONDITION_FAILED',
    reason: 'scope_missing',
    fix: expect.stringContaining('redrive'),
  });
});

test('a new version of the mapping serves the next sign-up, without a restart', async () => {
  state.mapping = {
    ...state.mapping,
    version: state.mapping.version + 1,
    rows: [...rows.slice(0, 2), row('source', 'lead', 'title')],
  };
  const { version } = state.mapping;
  const hash = 'b'.repeat(64);
  const purpose = 'REFERRALS_TO_PIPEDRIVE';
  await tell(MappingPublished, { mappingId, version, connectionId, purpose, hash }, mappingId);

  await eventually(async () => {
    const { referralUser } = await signUp({ email: `v${Math.random()}@example.com` });
    const command = await commandOf(referralUser.id);
    expect(command?.mapping).toEqual({ id: mappingId, version });
    expect(command?.steps[1]?.fields['title']).toBe('Direct');
  });
});

test('a row that is quarantined is left out of the next sign-up, and no other', async () => {
  const version = state.mapping.version + 1;
  const purpose = 'REFERRALS_TO_PIPEDRIVE';
  const hash = 'c'.repeat(64);
  const gone = new Set<string>();
  const origin = row('source', 'lead', 'origin_text');
  state.mapping = { ...state.mapping, version, gone, rows: [...rows, origin] };
  const leadOf = async () => {
    const { referralUser } = await signUp({ email: `q${Math.random()}@example.com` });
    return (await commandOf(referralUser.id))?.steps[1]?.fields;
  };
  await tell(MappingPublished, { mappingId, version, connectionId, purpose, hash }, mappingId);
  await eventually(async () => expect(await leadOf()).toHaveProperty('origin_text'));

  gone.add('origin_text');
  const change = 'REMOVED' as const;
  const drift = [{ rowId: origin.id, change, quarantined: true, published: true }];
  await tell(MappingDrifted, { mappingId, version, connectionId, purpose, drift }, mappingId);

  await eventually(async () => {
    const lead = await leadOf();
    expect(lead).toHaveProperty('title');
    expect(lead).not.toHaveProperty('origin_text');
  });
});

test('no event and no log line holds an e-mail or a name', async () => {
  const { referralUser } = await signUp({ email: 'secret@example.com', firstName: 'Xanthippe' });
  await settle(referralUser.id);
  await eventually(async () => {
    expect((await userOf(referralUser.id)).delivery.state).toBe('DELIVERED');
  });
  const events = await eventsOf(referralUser.id);
  expect(events.length).toBeGreaterThan(3);
  expect(JSON.stringify(events) + lines.join('\n')).not.toMatch(/@example\.com|Xanthippe/i);
});

const signUp = (input: { email: string; [key: string]: unknown }) =>
  referrals.signUp({ campaignId, ...input });

async function retry(referralUserId: string) {
  const { data, errors } = await graph(RETRY, { input: { referralUserId } });
  expect(errors).toBeUndefined();
  return data.retryDelivery.referralUser;
}

const commandOf = (userId: string) =>
  eventually(() => {
    const command = state.commands.find(({ cause }) => cause.id === userId);
    expect(command).toBeDefined();
    return command;
  });

async function tell<Definition extends EventDefinition>(
  definition: Definition,
  payload: z.output<Definition['envelope']>['payload'],
  key: string,
): Promise<void> {
  const origin = {
    workspaceId,
    actor: { kind: 'service' as const, id: 'connections' },
    correlationId: 'writes',
  };
  await withWorkspace(db, workspaceId, (tx) =>
    publish(tx, definition, { origin, key, payload, now: now() }),
  );
}

type Ending = Partial<z.output<(typeof StepSettled)['envelope']>['payload']>;

/** What connections tells when a delivery's steps have come to an end. */
async function settle(userId: string, ending: Ending = {}, leadEnding: Ending = {}) {
  const cause = { service: 'referrals', type: 'ReferralUser', id: userId };
  const common = {
    connectionId,
    writeRequestId: newId('wr', WriteRequestId),
    cause,
    costTokens: 5,
  };
  const step = {
    ...common,
    stepName: 'person',
    object: 'person' as const,
    operation: 'created' as const,
    outcome: 'applied' as const,
    changedKeys: [],
    pipedriveId: '7',
    pipedriveUrl: 'https://acme.pipedrive.com/person/7',
    ...ending,
  };
  await tell(StepSettled, { ...step, stepId: newId('st', WriteStepId) }, userId);
  if (step.outcome !== 'applied') return common;
  const { pipedriveUrl: _, ...lead } = { ...step, object: 'lead' as const, pipedriveId: 'lead-1' };
  await tell(StepSettled, { ...lead, ...leadEnding, stepId: newId('st', WriteStepId) }, userId);
  if (leadEnding.outcome === 'parked') return common;
  await tell(WriteRequestSettled, { ...common, outcome: 'succeeded' }, userId);
  return common;
}

async function eventsOf(key: string, name?: string) {
  const rows = await withWorkspace(db, workspaceId, (tx) =>
    tx.selectFrom('outbox').select(['name', 'body']).where('key', '=', key).execute(),
  );
  return rows.filter((one) => name === undefined || one.name === name).map(({ body }) => body);
}
