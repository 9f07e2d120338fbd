import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Somebody else listens on a port that was asked for by number. The message says how to choose another. */
export class PortTaken extends Error {
  override name = 'PortTaken';
  readonly port: number;
  /** The environment variable that changes the port, when the caller named one. */
  readonly variable: string | undefined;

  constructor(port: number, variable?: string) {
    const remedy =
      variable === undefined ? 'Free it' : `Free it, or choose another with ${variable}`;
    super(`Port ${port} on 127.0.0.1 is taken by another program. ${remedy}.`);
    this.port = port;
    this.variable = variable;
  }
}

/** A TCP port on 127.0.0.1 that nobody listened on a moment ago. */
export async function findFreePort(): Promise<number> {
  return listenOnce(0);
}

/** A server that ends lets go of its port a moment after it lets go of its files. */
const PATIENCE_MS = 2_000;
const LOOK_EVERY_MS = 50;

/** Throws `PortTaken` when `port` cannot be listened on, and stays so for two seconds. */
export async function requireFreePort(port: number, variable?: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await listenOnce(port);
      return;
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!isTaken) throw error;
      if (performance.now() > deadline) throw new PortTaken(port, variable);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

async function listenOnce(port: number): Promise<number> {
  const probe = createServer().listen(port, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port was assigned.');
  return address.port;
}
