import { SubmitWrite } from '@manifold/contracts';
import { ask } from '@manifold/messaging';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../test/bystander.ts';
import { connectForDeliveries } from '../../test/deliveries.ts';
import { startInstallation } from '../../test/installation.ts';
import { listEvents } from '../../test/looking.ts';
import { commandOf, leadStep, personStep } from '../../test/write-commands.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const { db, urls, drop } = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(sandbox);
// longer than any test: only a webhook can end the wait for a create of unknown end
const env = { SETTLE_MS: 60_000 };
const installation = await startInstallation({
  urls,
  natsUrl: nats.url,
  sandbox,
  log: silentLog,
  env,
});
const { workspaceId, id: connectionId } = await connectForDeliveries(installation, {
  db,
  apiToken: sandbox.apiToken,
});

afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await drop();
});

const submit = (email: string) =>
  ask(nats.nats, SubmitWrite, {
    ...commandOf({ workspaceId, connectionId }),
    steps: [personStep(email), leadStep()],
  });
const changes = () => listEvents(db, workspaceId, 'record_changed');
const settled = (id: string) =>
  eventually(
    async () => {
      const events = await listEvents(db, workspaceId, 'write_request_settled');
      const mine = events.find(({ payload }) => payload.writeRequestId === id);
      expect(mine?.payload.outcome).toBe('succeeded');
      return mine;
    },
    { timeoutMs: 15_000 },
  );

test('what we write comes back as our own, what others write does not (SL-59)', async () => {
  await subscribed();
  const { writeRequestId } = await submit('echo@example.test');
  await settled(writeRequestId);
  await bystander.create('person', { name: 'Somebody' });

  await eventually(async () => {
    const seen = (await changes()).map(({ payload }) => `${payload.object} ${payload.origin}`);
    expect(seen.toSorted()).toEqual(['lead manifold', 'person manifold', 'person pipedrive']);
  });
});

test('a create whose answer is lost is known by its webhook, long before the settle time is over', async () => {
  await subscribed();
  await bystander.fault('cut-after', { method: 'POST', path: '/api/v2/persons' });
  await bystander.fault('cut-after', { method: 'POST', path: '/api/v1/leads' });
  const { writeRequestId } = await submit('lost@example.test');
  await settled(writeRequestId);

  const leads = await bystander.list('lead');
  expect(leads).toHaveLength(2);
  const persons = await bystander.list('person');
  expect(persons.filter(({ name }) => name === 'Ada Canary')).toHaveLength(2);
});

/** Pipedrive knows where to send what changes. */
const subscribed = () =>
  eventually(async () => {
    const { data } = await installation.graph(
      'query ($id: ID!) { connection(id: $id) { webhooks } }',
      { id: connectionId },
      { workspaceId },
    );
    expect(data.connection.webhooks).toBe('ACTIVE');
  });
