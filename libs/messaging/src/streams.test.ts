import { startTestNats } from '@manifold/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, expect, test } from 'vitest';
import { ensureStream, streamOf } from './streams.ts';

const { nats, stop } = await startTestNats();
afterAll(stop);

test('whoever comes first makes the stream, whoever comes later finds it', async () => {
  await Promise.all([ensureStream(nats, 'contacts'), ensureStream(nats, 'contacts')]);
  await ensureStream(nats, 'contacts');

  const manager = await jetstreamManager(nats);
  const { config } = await manager.streams.info('contacts');
  expect(config).toMatchObject({ subjects: ['contacts.>'], discard: 'new', retention: 'limits' });
});

test('a stream that somebody changed by hand is an error that says what differs', async () => {
  const manager = await jetstreamManager(nats);
  await manager.streams.add({ ...streamOf('audit'), max_bytes: 1024 });

  await expect(ensureStream(nats, 'audit')).rejects.toThrow(/Stream audit .*max_bytes/);
});
