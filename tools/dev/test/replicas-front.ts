import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * Hands each connection to `port` to the next replica, and to another one when that is gone: a
 * connection is cut only when there is none. Returns how to stop.
 */
export async function shareOut(port: number, ports: readonly number[]): Promise<() => void> {
  let next = 0;
  const server = createServer((client) => {
    client.on('error', () => client.destroy());
    next += 1;
    // its own turn: others that come meanwhile must not bring it back to a replica that is gone
    const first = next;
    const pass = (tried: number) => {
      const replica = connect(ports[(first + tried) % ports.length] ?? 0, '127.0.0.1');
      let reached = false;
      client.once('close', () => replica.destroy());
      replica.once('connect', () => {
        reached = true;
        replica.once('close', () => client.destroy());
        client.pipe(replica).pipe(client);
      });
      replica.on('error', () => {
        if (!reached && tried + 1 < ports.length) pass(tried + 1);
        else client.destroy();
      });
    };
    pass(0);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return () => void server.close();
}
