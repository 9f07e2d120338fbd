import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { findFreePort } from '@manifold/infrastructure';
import { afterAll, expect, test } from 'vitest';
import { shareOut } from './replicas-front.ts';

const alive = createServer((_, response) => response.end('here'));
alive.listen(0, '127.0.0.1');
await once(alive, 'listening');
afterAll(() => void alive.close());

test('while one of two replicas is gone, no connection of many at once is cut', async () => {
  const [front, gone] = [await findFreePort(), await findFreePort()];
  const { port } = alive.address() as AddressInfo;
  const stop = await shareOut(front, [gone, port]);

  const answers = await Promise.all(
    Array.from({ length: 50 }, async () =>
      (await fetch(`http://127.0.0.1:${front}`, { headers: { connection: 'close' } })).text(),
    ),
  );
  stop();

  expect(answers).toEqual(Array.from({ length: 50 }, () => 'here'));
});
