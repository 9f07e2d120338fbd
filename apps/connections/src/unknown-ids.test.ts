import { ConnectionId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import {
  createTestDatabase,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newWorkspace, startInstallation } from '../test/installation.ts';
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
