import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { startTestNats } from './index.ts';

test('streams keep their real names: each server is private', async () => {
  const [one, two] = await Promise.all([startTestNats(), startTestNats()]);
  await (await jetstreamManager(one.nats)).streams.add({ name: 'audit', subjects: ['audit.>'] });
  await expect((await jetstreamManager(two.nats)).streams.info('audit')).rejects.toThrow(
    'not found',
  );
  await Promise.all([one.stop(), two.stop()]);
});

test('the connection outlives a crash, and what was acknowledged is there', async () => {
  const test = await startTestNats();
  const { pid } = test.server;
  const manager = await jetstreamManager(test.nats);
  await manager.streams.add({ name: 'audit', subjects: ['audit.>'] });
  await jetstream(test.nats).publish('audit.one');

  await test.kill();
  await test.restart();
  expect((await manager.streams.info('audit')).state.messages).toBe(1);
  expect(test.server.pid).not.toBe(pid);
  expect(test.server.url).toBe(test.url);
  await test.restart();
  expect((await manager.streams.info('audit')).state.messages).toBe(1);
  await test.stop();
});

test('with users only they come in, each to what it may, and the test to everything', async () => {
  const contacts = { user: 'contacts', password: 'secret', publish: ['contacts.>'], subscribe: [] };
  const { nats, url, stop } = await startTestNats({ users: [contacts] });
  await expect(connect({ servers: url })).rejects.toThrow(/authorization/i);
  const service = await connect({ servers: url, user: 'contacts', pass: 'secret' });
  const heard = nats.subscribe('contacts.>', { max: 1 });
  await nats.flush();

  service.publish('contacts.changed', 'one');
  for await (const message of heard) expect(message.string()).toBe('one');
  expect(heard.getProcessed()).toBe(1);
  await service.close();
  await stop();
});
