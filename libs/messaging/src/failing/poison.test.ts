import { defineRequest } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createTestDatabase, eventually, silentLog as log, startTestNats } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { startCommandRelay } from '../publishing/command-relay.ts';
import {
  migrations,
  newCampaign,
  note,
  notesOf,
  type Tables,
  workspaceId,
} from '../fixtures/notes.ts';
import { sendCommand } from '../publishing/publish.ts';
import { respondTo, serveRequests } from '../asking/requests.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const broker = await startTestNats();
const { nats } = broker;
const Submit = defineRequest(
  'request.connections.submit.v1',
  z.object({ id: z.string(), text: z.string().default('') }),
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

test('a command too large to travel is refused where it is given', async () => {
  const sent = command(newCampaign(), 'x'.repeat(1024 * 1024));
  await expect(sent).rejects.toMatchObject({
    kind: 'invalid',
    detail: { reason: 'too_many_items' },
  });
});

test('a command too large for the broker is handed back at once', async () => {
  const id = newCampaign();
  // as an earlier release could have kept one
  await inWorkspace(sql`insert into command_outbox (workspace_id, subject, key, body) values (
    ${workspaceId}, ${Submit.subject}, ${id}, ${JSON.stringify({ id, text: 'x'.repeat(2_000_000) })})`);
  relay();

  await eventually(async () => expect(await notesOf(db, id)).toEqual(['too_many_items']));
});

test('a command its receiver keeps failing on is handed back in the end, and the next one goes', async () => {
  const id = newCampaign();
  let failed = 0;
  const received: string[] = [];
  receive(({ text }) => {
    if (text === 'poison') {
      failed += 1;
      throw new TypeError('a bug');
    }
    received.push(text);
  });
  await command(id, 'poison');
  await command(id, 'next');
  relay();
  await eventually(() => expect(failed).toBeGreaterThan(1));
  expect(await notesOf(db, id)).toEqual([]);
  await inWorkspace(sql`update command_outbox set failures = 30,
    failing_since = now() - interval '11 minutes', not_before = now() where key = ${id}`);

  await eventually(async () => expect(await notesOf(db, id)).toEqual(['handler_failed']));
  await eventually(() => expect(received).toEqual(['next']));
});

test('a command whose refusal cannot be stored holds up no other', async () => {
  const [bad, good] = [newCampaign(), newCampaign()];
  const received: string[] = [];
  receive(({ id }) => void received.push(id));
  await command(bad, 'x');
  await command(good, 'x');
  running.push(
    startCommandRelay<Tables>({
      ...{ db, nats, log, onRefused: async () => undefined },
      onStored: async (_, { body }) => {
        if (Submit.question.parse(body).id === bad) throw new Error('cannot store');
      },
    }),
  );

  await eventually(() => expect(received).toContain(good));
  await eventually(async () => expect(await left(good)).toBe(0));
  expect(await left(bad)).toBe(1);
});

function relay(): void {
  running.push(
    startCommandRelay<Tables>({
      ...{ db, nats, log },
      onRefused: (tx, { body }, { detail }) =>
        note(tx, Submit.question.parse(body).id, detail.reason),
    }),
  );
}

function receive(react: (question: { id: string; text: string }) => void): void {
  const responder = respondTo(Submit, async (question) => {
    react(question);
    return { stored: true };
  });
  running.push(serveRequests({ nats, service: 'connections', responders: [responder], log }));
}

const inWorkspace = <Row>(query: ReturnType<typeof sql<Row>>) =>
  withWorkspace(db, workspaceId, async (tx) => (await query.execute(tx)).rows);

const command = (id: string, text: string) =>
  withWorkspace(db, workspaceId, (tx) =>
    sendCommand(tx, Submit, { workspaceId, key: id, question: { id, text } }),
  );

const left = async (key: string) =>
  (await inWorkspace(sql`select id from command_outbox where key = ${key}`)).length;
