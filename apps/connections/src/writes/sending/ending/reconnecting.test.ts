import { SubmitWrite } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { ask } from '@manifold/messaging';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { createGranted, type Named } from '../../../../test/granted.ts';
import {
  type Installation,
  openTestVault,
  startInstallation,
} from '../../../../test/installation.ts';
import { listEvents } from '../../../../test/looking.ts';
import { APPROVE, PLAN, READ, wantName } from '../../../../test/set-graph.ts';
import { commandOf, leadStep, personStep } from '../../../../test/write-commands.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';

const { db, urls, drop } = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(sandbox);
let installation: Installation;
let granted: ReturnType<typeof createGranted>;

beforeAll(async () => {
  installation = await startInstallation({
    ...{ urls, natsUrl: nats.url, sandbox, log: silentLog },
  });
  const vault = await openTestVault(db);
  const userId = (await installation.control('GET', '/state')).users[0].id;
  granted = createGranted({ installation, sandbox, db, vault, userId });
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await drop();
});

const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id status } } }`;

/** Ways of a person to make the connection work again. */
const ways: [string, (of: Named) => Promise<unknown>][] = [
  ['by consent', ({ workspaceId }) => granted.connect({ kind: 'ORGANIZATION' }, workspaceId)],
  [
    'with an API token',
    ({ workspaceId }) => {
      const input = { apiToken: sandbox.apiToken, kind: 'ORGANIZATION', replace: true };
      return installation.graph(CONNECT, { input }, { workspaceId });
    },
  ],
];

test.each(ways)(
  'what waits for a grant that was revoked at Pipedrive is written once it is connected again %s',
  async (way, reconnect) => {
    const of = await granted.connect({ kind: 'ORGANIZATION' });
    await eventually(async () =>
      expect(await eventsOf(of, 'connection_established')).toHaveLength(1),
    );
    const person = await bystander.create('person', { name: 'Before' });
    const set = await planned(of, Number(person.id));
    await granted.revokeAtPipedrive(of);

    const emails = [1, 2, 3].map((number) => `${number}.${way.length}@example.test`);
    const requests = await Promise.all(emails.map((email) => submit(of, email)));
    await graph(of, APPROVE, { input: { id: set.id, hash: set.hash } });
    await eventually(async () => expect((await granted.rowOf(of))?.status).toBe('NEEDS_REAUTH'));
    // looked at again and again, and each time nothing is given up or done
    await eventually(async () => {
      const steps = await stepsOf(of);
      const first = steps.filter(({ position, change_id }) => position === 0 && change_id === null);
      expect(first.map(({ state, reason }) => [state, reason])).toEqual(
        Array(3).fill(['queued', 'connection_needs_reauth']),
      );
    });
    await eventually(async () =>
      expect((await read(of, set.id)).waitsFor).toBe('connection_needs_reauth'),
    );
    const names = async () => (await bystander.list('person')).map(({ name }) => name);
    expect(await names()).toContain('Before');
    expect(await statuses(of)).toEqual(['NEEDS_REAUTH']);

    await reconnect(of);
    await eventually(
      async () => {
        const settled = await eventsOf(of, 'write_request_settled');
        const outcomes = requests.map(
          (id) => settled.find(({ payload }) => payload.writeRequestId === id)?.payload.outcome,
        );
        expect(outcomes).toEqual(Array(3).fill('succeeded'));
        expect((await read(of, set.id)).state).toBe('DONE');
      },
      { timeoutMs: 30_000 },
    );
    const steps = (await stepsOf(of)).map(({ state, effect }) => `${state} ${effect}`);
    expect(steps.toSorted()).toEqual([...Array(6).fill('applied created'), 'applied updated']);
    expect(await bystander.read('person', String(person.id))).toMatchObject({ name: 'After' });
    expect(await statuses(of)).toEqual(['NEEDS_REAUTH', 'ACTIVE']);
    expect(await granted.rowOf(of)).toMatchObject({ status: 'ACTIVE', broken_since: null });
  },
  60_000,
);

// builders

const graph = (of: Named, query: string, variables: object) =>
  installation.graph(query, variables, { workspaceId: of.workspaceId });

async function submit(of: Named, email: string): Promise<string> {
  const { workspaceId, id: connectionId } = of;
  const steps = [personStep(email), leadStep()];
  const command = commandOf({ workspaceId, connectionId }, { steps });
  return (await ask(nats.nats, SubmitWrite, command)).writeRequestId;
}

const read = async (of: Named, id: string) => (await graph(of, READ, { id })).data.changeSet;

/** A set that gives a person another name, as soon as somebody has to decide about it. */
async function planned(of: Named, person: number) {
  const changes = [wantName(person, 'After')];
  const input = { connectionId: of.id, title: 'Names', changes };
  const { data } = await graph(of, PLAN, { input });
  return eventually(async () => {
    const set = await read(of, data.planChangeSet.changeSet.id);
    expect(set.state).toBe('AWAITING_APPROVAL');
    return set;
  });
}

const eventsOf = (of: Named, name: string) => listEvents(db, of.workspaceId, name);

const statuses = async (of: Named) =>
  (await eventsOf(of, 'connection_status_changed')).map(({ payload }) => payload.status);

const stepsOf = ({ workspaceId, id }: Named) =>
  withWorkspace(db, workspaceId, (tx) =>
    tx.selectFrom('write_step').selectAll().where('connection_id', '=', id).execute(),
  );
