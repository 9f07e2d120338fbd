import { silentLog, startTestNats } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { key, startDoorkeeper } from '../../test/library.ts';
import { startAuthenticator } from './authenticate.ts';

const { nats, stop: stopNats } = await startTestNats();
const { door, stop: stopDoor } = startDoorkeeper(nats, silentLog);
await nats.flush();
let now = 0;
let { authenticate, stop } = startAuthenticator({ nats, clock: () => now });

beforeEach(() => {
  stop();
  now = 0;
  ({ authenticate, stop } = startAuthenticator({ nats, clock: () => now }));
});
afterAll(async () => {
  stop();
  await stopDoor();
  await stopNats();
});

const good = { authorization: `Bearer ${key}`, workspace: undefined };
const unknown = (index: number) => ({
  authorization: `Bearer mf_unknown-key-number-${index}`,
  workspace: undefined,
});
const flood = async (address: string, keys: number) => {
  for (let index = 0; index < keys; index += 1) {
    await expect(authenticate({ ...unknown(index), address })).rejects.toThrow();
  }
};

test('an address that sends many unknown keys is turned away for a while, others are not', async () => {
  await flood('1.1.1.1', 100);
  const asked = door.asked;
  await expect(authenticate({ ...unknown(101), address: '1.1.1.1' })).rejects.toMatchObject({
    kind: 'limited',
  });
  expect(door.asked).toBe(asked);
  await expect(authenticate({ ...unknown(101), address: '2.2.2.2' })).rejects.toMatchObject({
    kind: 'unauthenticated',
  });
  now = 10_001;
  await expect(authenticate({ ...unknown(102), address: '1.1.1.1' })).rejects.toMatchObject({
    kind: 'unauthenticated',
  });
});

test('a key that was good a while ago is heard from such an address too', async () => {
  await authenticate({ ...good, address: '1.1.1.1' });
  now = 60_000;
  await flood('1.1.1.1', 100);
  await expect(authenticate({ ...good, address: '1.1.1.1' })).resolves.toMatchObject({
    role: 'MEMBER',
  });
});

test('unknown keys, however many, push no known caller out', async () => {
  await authenticate(good);
  for (let index = 0; index < 1_100; index += 1) {
    const address = `address ${index % 50}`;
    await authenticate({ ...unknown(index), address }).catch(() => undefined);
  }
  const asked = door.asked;
  await authenticate(good);
  expect(door.asked).toBe(asked);
});
