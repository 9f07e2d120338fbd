import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { findFreePort, PortTaken, requireFreePort } from './port.ts';

test('a free port can be listened on', async () => {
  const port = await findFreePort();
  await expect(requireFreePort(port)).resolves.toBeUndefined();
});

test('no port is given twice, however many ask at once', async () => {
  const ports = await Promise.all(Array.from({ length: 100 }, findFreePort));
  expect(new Set(ports).size).toBe(100);
});

test('a taken port is refused by number, naming the variable that changes it', async () => {
  const neighbour = createServer().listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  const address = neighbour.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;

  const refusal = requireFreePort(port, 'MANIFOLD_PORT');
  await expect(refusal).rejects.toThrow(PortTaken);
  await expect(refusal).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken`);
  await expect(refusal).rejects.toThrow('choose another with MANIFOLD_PORT');
  neighbour.close();
});
