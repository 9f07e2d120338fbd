import { defineRequest } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { createTestDatabase, eventually, silentLog as log, startTestNats } from '@manifold/testing';
import { afterAll, afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { type OnStored, startCommandRelay } from './command-relay.ts';
import {
  migrations,
  newCampaign,
  note,
  notesOf,
  type Tables,
  workspaceId,
} from '../fixtures/notes.ts';
import { sendCommand } from './publish.ts';
import { respondTo, serveRequests } from '../asking/requests.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const broker = await startTestNats();
const { nats } = broker;
const Submit = defineRequest(
  'request.connections.submit.v1',
  z.object({ id: z.string(), n: z.int().default(0) }),
  z.object({ stored: z.boolean() }),
);

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0).toReversed()) await stop();
});
afterAll(async () => {
  await broker.stop();
  await drop();
});

test('a command is repeated until its receiver has stored it, then forgotten', async () => {
  const id = newCampaign();
  relay();
  await command(id, 1);
  await eventually(async () => expect(await attemptsOf(id)).toBeGreaterThan(0));
  const received = receive();

  await eventually(() => expect(received).toEqual([{ id, n: 1 }]));
  await eventually(async () => expect(await attemptsOf(id)).toBeUndefined());
});

test('a command whose change is taken back is never sent', async () => {
  const id = newCampaign();
  const received = receive();
  relay();
  await withWorkspace(db, workspaceId, async (tx) => {
    await sendCommand(tx, Submit, { workspaceId, key: id, question: { id } });
    throw new Error('changed my mind');
  }).catch(() => undefined);
  await command(newCampaign(), 2);

  await eventually(() => expect(received).toHaveLength(1));
  expect(received).not.toContainEqual(expect.objectContaining({ id }));
});

test('commands of one key arrive one after the other, also when an earlier one waits', async () => {
  const id = newCampaign();
  relay();
  for (const n of [1, 2, 3]) await command(id, n);
  await eventually(async () => expect(await attemptsOf(id)).toBeGreaterThan(0));
  const received = receive();

  await eventually(() => expect(received.map(({ n }) => n)).toEqual([1, 2, 3]));
});

test('a command refused for good is handed back in the transaction that forgets it', async () => {
  const id = newCampaign();
  receive(() => {
    throw new Refusal('precondition', 'no such connection', { reason: 'connection_missing' });
  });
  relay();
  await command(id, 1);

  await eventually(async () => expect(await notesOf(db, id)).toEqual(['connection_missing']));
  expect(await attemptsOf(id)).toBeUndefined();
});

test('the answer to a command is handed back in the transaction that forgets it', async () => {
  const id = newCampaign();
  receive();
  relay((tx, { body }, answer) => note(tx, Submit.question.parse(body).id, JSON.stringify(answer)));
  await command(id, 1);

  await eventually(async () => expect(await notesOf(db, id)).toEqual(['{"stored":true}']));
  expect(await attemptsOf(id)).toBeUndefined();
});

test('a command refused for now is tried again', async () => {
  const id = newCampaign();
  let busy = true;
  const received = receive(() => {
    if (busy) throw new Refusal('limited', 'later', { reason: 'budget_spent' });
  });
  relay();
  await command(id, 1);
  await eventually(async () => expect(await attemptsOf(id)).toBeGreaterThan(0));
  busy = false;

  await eventually(async () => expect(await attemptsOf(id)).toBeUndefined());
  expect(received.at(-1)).toEqual({ id, n: 1 });
  expect(await notesOf(db, id)).toEqual([]);
});

test('two replicas share the commands and send none twice', async () => {
  const received = receive();
  relay();
  relay();
  const ids = Array.from({ length: 30 }, newCampaign);
  await Promise.all(ids.map((id) => command(id, 1)));

  await eventually(() => expect(received.length).toBeGreaterThanOrEqual(30));
  await eventually(async () => expect(await left()).toBe(0));
  expect(received.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
});

test('a command outlives the broker, whose store does not hold it', async () => {
  const received = receive();
  relay();
  await broker.kill();
  const id = newCampaign();
  await command(id, 1);
  await broker.restart();

  await eventually(() => expect(received).toContainEqual({ id, n: 1 }), { timeoutMs: 15_000 });
  await eventually(async () => expect(await attemptsOf(id)).toBeUndefined());
});

function relay(onStored?: OnStored<Tables>): void {
  const stopRelay = startCommandRelay<Tables>({
    db,
    ...(onStored ? { onStored } : {}),
    nats,
    log,
    onRefused: (tx, { body }, { detail }) =>
      note(tx, Submit.question.parse(body).id, detail.reason),
  });
  running.push(stopRelay);
}

function receive(react: () => void = () => undefined) {
  const received: { id: string; n: number }[] = [];
  const responder = respondTo(Submit, async (question) => {
    received.push(question);
    react();
    return { stored: true };
  });
  running.push(serveRequests({ nats, service: 'connections', responders: [responder], log }));
  return received;
}

const command = (id: string, n: number) =>
  withWorkspace(db, workspaceId, (tx) =>
    sendCommand(tx, Submit, { workspaceId, key: id, question: { id, n } }),
  );

const attemptsOf = (key: string) =>
  withWorkspace(db, workspaceId, async (tx) => {
    const query = tx.selectFrom('command_outbox').select('attempts').where('key', '=', key);
    return (await query.orderBy('id').executeTakeFirst())?.attempts;
  });

const left = () =>
  acrossWorkspaces(
    db,
    async (tx) => (await tx.selectFrom('command_outbox').select('id').execute()).length,
  );
