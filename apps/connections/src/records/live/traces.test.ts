import { ConnectionId, CountRecords, ReadRecords } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import { ask, askForPage } from '@manifold/messaging';
import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { type Installation, newWorkspace, startInstallation } from '../../../test/installation.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id } } }`;
const LOOK = `query ($connectionId: ID!, $id: ID!) {
  pipedriveRecord(connectionId: $connectionId, object: PERSON, id: $id, fields: ["name", "emails"]) {
    values { code text entries { value } } } }`;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const bystander = createBystander(sandbox);
const { log, lines } = captureLog();
const workspaceId = newWorkspace();
const CANARY = /canary/i;
let installation: Installation;
let connectionId: ConnectionId;

beforeAll(async () => {
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log };
  installation = await startInstallation(ground);
  const input = { apiToken: sandbox.apiToken, kind: 'ORGANIZATION' };
  const { data } = await installation.graph(CONNECT, { input }, { workspaceId });
  connectionId = ConnectionId.parse(data.connectWithApiToken.connection.id);
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

/** Every row of every table the service has, its bookkeeping included. */
const everyRow = () =>
  acrossWorkspaces(database.db, async (tx) => {
    const tables = await sql<{ name: string }>`select table_name as name
      from information_schema.tables where table_schema = current_schema()`.execute(tx);
    const rows: string[] = [];
    for (const { name } of tables.rows) {
      const found = await sql`select to_jsonb(one) from ${sql.table(name)} as one`.execute(tx);
      rows.push(`${name} ${JSON.stringify(found.rows)}`);
    }
    return rows;
  });

const request = async (subject: string, body: object = {}) =>
  JSON.parse((await nats.nats.request(`$JS.API.${subject}`, JSON.stringify(body))).string());

/** Every message of every stream, its subject and headers included. */
async function everyMessage(): Promise<string[]> {
  const { streams }: { streams: string[] } = await request('STREAM.NAMES');
  const messages: string[] = [];
  for (const stream of streams) {
    const { state } = await request(`STREAM.INFO.${stream}`);
    for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
      const { message } = await request(`STREAM.MSG.GET.${stream}`, { seq });
      const text = (part: string | undefined) => Buffer.from(part ?? '', 'base64').toString('utf8');
      if (message) messages.push(`${message.subject} ${text(message.hdrs)} ${text(message.data)}`);
    }
  }
  return messages;
}

test('what is read, by a person or for another service, is in no table, no stream and no log line afterwards (SL-94)', async () => {
  const { id } = await bystander.create('person', {
    name: 'Canary Traces',
    emails: [{ value: 'canary.traces@example.test', label: 'work', primary: true }],
  });
  const look = () => installation.graph(LOOK, { connectionId, id: String(id) }, { workspaceId });
  expect(JSON.stringify(await look())).toMatch(CANARY);
  const question = { workspaceId, connectionId, object: 'person', limit: 50 } as const;
  const fields = ['name', 'emails'];
  for (const more of [{}, { ids: [String(id)] }, { updatedSince: '2020-01-01T00:00:00Z' }]) {
    const page = await askForPage(nats.nats, ReadRecords, { ...question, fields, ...more });
    expect(JSON.stringify(page.items)).toMatch(CANARY);
  }
  await ask(nats.nats, CountRecords, { workspaceId, connectionId, object: 'person' });
  // one that fails in the middle is told and logged
  await bystander.fault('500', { path: `/api/v2/persons/${id}` });
  await look();

  // the webhook of the new person came, was understood and told: nothing more is on its way
  await eventually(async () => {
    const told = (await everyMessage()).filter((text) => text.includes('record_changed'));
    expect(told.join('\n')).toContain(String(id));
  });
  const [rows, messages] = [await everyRow(), await everyMessage()];
  expect(rows.length).toBeGreaterThan(35);
  for (const name of ['connection', 'api_call', 'webhook_receipt', 'outbox']) {
    expect(rows.find((row) => row.startsWith(`${name} `))).toContain(workspaceId);
  }
  expect(messages.join('\n')).toContain(workspaceId);
  expect([...rows, ...messages, ...lines].filter((text) => CANARY.test(text))).toEqual([]);
});
