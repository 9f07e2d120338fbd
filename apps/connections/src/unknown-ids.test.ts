import { ConnectionId, typeOfId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newWorkspace, startInstallation } from '../test/installation.ts';
import { PLAN, READ, wantName } from '../test/set-graph.ts';
import { migrations } from './migrations/index.ts';
import type { Tables } from './store.ts';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const workspaceId = newWorkspace();
let installation: Installation;

beforeAll(async () => {
  const urls = database.urls;
  installation = await startInstallation({ urls, natsUrl: nats.url, sandbox, log: silentLog });
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

const mutation = (name: string, selection: string) =>
  `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) {
    ${name}(input: $input) { ${selection} } }`;
const connection = 'connection { id }';
const about = (rest: object) => (id: string) => ({ input: { connectionId: id, ...rest } });
const one = (id: string) => ({ input: { id } });
const object = 'PERSON';
const onSet = (what: string): [string, string, typeof one] => [
  `${what}ChangeSet`,
  `mutation ($input: ChangeSetInput!) { ${what}ChangeSet(input: $input) { changeSet { id } } }`,
  one,
];

const asked: [string, string, (id: string) => object][] = [
  ['refreshFields', mutation('refreshFields', connection), about({})],
  ['createField', mutation('createField', 'created'), about({ object, name: 'X', type: 'TEXT' })],
  [
    'createFieldOptions',
    mutation('createFieldOptions', 'created'),
    about({ object, fieldCode: 'label_ids', labels: ['X'] }),
  ],
  ['allowExternalId', mutation('allowExternalId', connection), about({ objects: [object] })],
  ['disallowExternalId', mutation('disallowExternalId', connection), about({ objects: [object] })],
  ['verifyCompleteness', mutation('verifyCompleteness', 'certificate { id }'), about({ object })],
  ['cancelVerification', mutation('cancelVerification', 'certificate { id }'), one],
  ['trackRecords', mutation('trackRecords', 'tracking { state }'), about({ object })],
  ['untrackRecords', mutation('untrackRecords', 'untracked'), about({ object })],
  ['checkWebhooks', mutation('checkWebhooks', connection), one],
  ['rotateWebhookSecret', mutation('rotateWebhookSecret', connection), one],
  ['redriveWebhooks', mutation('redriveWebhooks', connection), one],
  ...['close', 'apply', 'pause', 'resume', 'cancel'].map(onSet),
  [
    'pipedriveFields',
    '($id: ID!) { pipedriveFields(connectionId: $id, object: PERSON) { totalCount } }',
    (id) => ({ id }),
  ],
  [
    'fieldChanges',
    '($id: ID!) { fieldChanges(connectionId: $id) { totalCount } }',
    (id) => ({ id }),
  ],
  [
    'pipedriveRecord',
    '($id: ID!) { pipedriveRecord(connectionId: $id, object: PERSON, id: "1", fields: []) { object } }',
    (id) => ({ id }),
  ],
  ['completeness', '($id: ID!) { completeness(connectionId: $id) { id } }', (id) => ({ id })],
  [
    'recordTracking',
    '($id: ID!) { recordTracking(connectionId: $id) { object } }',
    (id) => ({ id }),
  ],
];

test.each(asked)(
  '%s answers a text that is no id like an id nobody has',
  async (_, text, given) => {
    const query = text.startsWith('mutation') ? text : `query ${text}`;
    const answerTo = async (id: string) => {
      const answer = await installation.graph(query, given(id), { workspaceId });
      return JSON.parse(JSON.stringify(answer).replaceAll(id, 'ID'));
    };
    const unknown = await answerTo(newId('cn', ConnectionId));
    if (text.startsWith('mutation')) {
      expect(unknown.errors[0].extensions).toMatchObject({
        ...{ code: 'NOT_FOUND', reason: 'record_not_found' },
        field: given === one ? 'input.id' : 'input.connectionId',
      });
    }
    for (const id of ['cn_nonsense', 'xyz', workspaceId, 'deal-1']) {
      expect(await answerTo(id)).toEqual(unknown);
    }
  },
);

/** One thing of each kind that `node` can name, of a workspace of its own. */
async function makeThings() {
  const of = { workspaceId: newWorkspace() };
  const ask = async (text: string, variables: object) => {
    const { data, errors } = await installation.graph(text, variables, of);
    expect(errors).toBeUndefined();
    return data;
  };
  const { apiToken } = (await installation.control('GET', '/state')).users[0];
  const { connectWithApiToken: made } = await ask(mutation('connectWithApiToken', connection), {
    input: { kind: 'ORGANIZATION', apiToken },
  });
  const connectionId = made.connection.id;
  const planned = await ask(PLAN, {
    input: { connectionId, title: 'Names', changes: [wantName(1, 'Ada')] },
  });
  const { id: setId } = planned.planChangeSet.changeSet;
  const change = await eventually(async () => {
    const { changeSet } = await ask(READ, { id: setId });
    expect(changeSet.changes.nodes).toHaveLength(1);
    return changeSet.changes.nodes[0];
  });
  const { writeRequests } = await ask('{ writeRequests(first: 1) { nodes { id } } }', {});
  const tracked = { connectionId, object, keys: [] };
  await ask(mutation('trackRecords', 'tracking { state }'), { input: tracked });
  const certificates = 'query ($id: ID!) { completeness(connectionId: $id) { id } }';
  const certificate = await eventually(async () => {
    const { completeness } = await ask(certificates, { id: connectionId });
    expect(completeness).toHaveLength(1);
    return completeness[0];
  });
  const ids: string[] = [
    ...[connectionId, setId, change.id, change.writeStep.id],
    ...[writeRequests.nodes[0].id, certificate.id],
  ];
  return { of, ids };
}

test('what `node` names of another workspace is nothing here, exactly like what nobody has', async () => {
  const { of, ids } = await makeThings();
  const refer = async (things: readonly string[], caller: typeof of) => {
    const representations = things.map((id) => ({ __typename: typeOfId(id), id }));
    const text = 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }';
    return installation.graph(text, { r: representations }, caller);
  };
  const types = ids.map((id) => ({ __typename: typeOfId(id) }));
  expect(await refer(ids, of)).toEqual({ data: { _entities: types } });

  const foreign = await refer(ids, { workspaceId });
  expect(foreign).toEqual({ data: { _entities: ids.map(() => null) } });
  const absent = ids.map((id) => id.replace(/_.*/, `_${'0'.repeat(32)}`));
  expect(await refer(absent, { workspaceId })).toEqual(foreign);
});
