import { randomUUID } from 'node:crypto';
import { idFromUuid, WorkspaceId } from '@manifold/contracts';
import { captureLog, eventually, startTestNats } from '@manifold/testing';
import { connect } from '@nats-io/transport-node';
import { afterAll, expect, test } from 'vitest';
import type { News } from './agenda.ts';
import { startHearing } from './hearing.ts';

const gateway = { user: 'gateway', password: 'p', publish: ['>'], subscribe: ['_INBOX.>'] };
const broker = await startTestNats({ users: [gateway] });
const nats = await connect({
  ...{ servers: broker.url, user: gateway.user, pass: gateway.password },
  ...{ maxReconnectAttempts: -1, reconnectTimeWait: 25 },
});
const hearing = startHearing({ nats, log: captureLog().log, retryMs: 50 });
const wanted = {
  events: ['books.book_changed.v1'],
  workspaceId: WorkspaceId.parse(idFromUuid('ws', randomUUID())),
};

afterAll(async () => {
  hearing.stop();
  await nats.close();
  await broker.stop();
});

test('what the broker does not let us hear is told to whoever listens or comes later, and heard once it does', async () => {
  const first: News[] = [];
  const second: News[] = [];
  hearing.hear(wanted, (news) => first.push(news));
  await eventually(() => expect(first).toContainEqual({ news: 'lost' }));
  const stop = hearing.hear(wanted, (news) => second.push(news));
  await eventually(() => expect(second).toContainEqual({ news: 'lost' }));
  expect([...first, ...second]).not.toContainEqual({ news: 'restored' });

  gateway.subscribe.push('books.>');
  await broker.restart();

  const publish = () =>
    broker.nats.publish(`books.book_changed.v1.${wanted.workspaceId}`, '{"payload":{"id":"b1"}}');
  await eventually(() => {
    publish();
    for (const heard of [first, second]) {
      expect(heard.map(({ news }) => news)).toContain('restored');
      expect(heard).toContainEqual({ news: 'event', payload: { id: 'b1' } });
    }
  });
  stop();
  const heard = second.length;
  const earlier = first.length;
  publish();
  await eventually(() => expect(first.length).toBeGreaterThan(earlier));
  expect(second).toHaveLength(heard);
});
