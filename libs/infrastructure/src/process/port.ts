import { once } from 'node:events';
import { createServer } from 'node:net';

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

/** Throws `PortTaken` when `port` cannot be listened on. */
export async function requireFreePort(port: number, variable?: string): Promise<void> {
  try {
    await listenOnce(port);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new PortTaken(port, variable);
    }
    throw error;
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
