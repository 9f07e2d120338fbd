import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
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

/** Below what operating systems give to outgoing connections, above what well-known servers use. */
const LOWEST = 12_000;
const HIGHEST = 32_000;
const CLAIMS = join(tmpdir(), `manifold-ports-${userInfo().username}`);
/** By then its server listens, or never will. */
const CLAIM_MS = 10 * 60_000;
const TRIES = 200;

/**
 * A TCP port on 127.0.0.1 that nobody listens on, and that no other caller on this machine is given in the
 * next ten minutes: several installations may start side by side.
 */
export async function findFreePort(): Promise<number> {
  await mkdir(CLAIMS, { recursive: true });
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!(await claim(port))) continue;
    const free = await listenOnce(port).then(
      () => true,
      () => false,
    );
    if (free) return port;
  }
  throw new Error(`No free port was found on 127.0.0.1 between ${LOWEST} and ${HIGHEST}.`);
}

async function claim(port: number): Promise<boolean> {
  const file = join(CLAIMS, String(port));
  const old = await stat(file).catch(() => undefined);
  if (old && Date.now() - old.mtimeMs < CLAIM_MS) return false;
  await rm(file, { force: true });
  return writeFile(file, '', { flag: 'wx' }).then(
    () => true,
    () => false,
  );
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
