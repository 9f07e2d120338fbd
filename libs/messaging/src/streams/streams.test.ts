import { startTestNats } from '@manifold/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, expect, test } from 'vitest';
import { adjustStream, ensureStream, streamOf } from './streams.ts';
import { KEEP_DAYS } from './tidying.ts';

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
  await manager.streams.add({ ...streamOf('audit'), max_msg_size: 1024 });

  await expect(ensureStream(nats, 'audit')).rejects.toThrow(/Stream audit .*max_msg_size/);
});

test('another size or age does not keep a service from starting, and is brought up to date', async () => {
  const manager = await jetstreamManager(nats);
  const day = 86_400_000_000_000;
  const earlier = { ...streamOf('workspaces'), max_age: 7 * day, max_bytes: 1024 * 1024 };
  await manager.streams.add(earlier);

  await ensureStream(nats, 'workspaces');
  await adjustStream(nats, 'workspaces');

  const { config } = await manager.streams.info('workspaces');
  const { max_age, max_bytes } = streamOf('workspaces');
  expect(config).toMatchObject({ max_age, max_bytes });
});

test('a stream keeps events for less long than the outbox, so that it makes room by itself', () => {
  expect(streamOf('contacts').max_age).toBeLessThan(KEEP_DAYS * 86_400_000_000_000);
});

test('how large a stream may grow is a setting', () => {
  expect(streamOf('contacts', { NATS_STREAM_MAX_BYTES: '2048' }).max_bytes).toBe(2048);
  expect(streamOf('contacts', {}).max_bytes).toBe(1024 ** 3);
  expect(() => streamOf('contacts', { NATS_STREAM_MAX_BYTES: 'much' })).toThrow(
    /NATS_STREAM_MAX_BYTES/,
  );
});
