import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const TAIL_LINES = 40;
const PATIENCE_MS = 10_000;

export type Account = { uid: number; gid: number };
export type ChildOptions = {
  cwd?: string;
  env?: Record<string, string>;
  /** Run as this account; only root can. */
  account?: Account | undefined;
  log?: ((line: string) => void) | undefined;
};
export type Child = {
  pid: number;
  hasExited: () => boolean;
  /** Resolves when it ends: 0 is success, null a signal. */
  exitCode: () => Promise<number | null>;
  /** The last lines it printed, for messages. */
  tail: () => string;
  /** The given signal, then SIGKILL after ten seconds. Returns when the process is gone. */
  stop: (signal: NodeJS.Signals) => Promise<void>;
};

const living = new Set<ChildProcess>();

/** Starts a server in its own session, so that the terminal's Ctrl-C reaches only us. */
export async function startChild(
  program: string,
  args: string[],
  { cwd = '/', env = {}, account, log }: ChildOptions,
): Promise<Child> {
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...account,
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > TAIL_LINES) lines.shift();
      log?.(line);
    });
  }
  // 'close' comes after the last line; a daemon's grandchildren may hold the pipes, hence 'exit' as well
  const exited = once(child, 'exit').then(() => living.delete(child));
  exited.catch(() => living.delete(child));
  await once(child, 'spawn');
  living.add(child);

  const hasExited = () => child.exitCode !== null || child.signalCode !== null;
  const stop = async (signal: NodeJS.Signals) => {
    if (hasExited()) return;
    child.kill(signal);
    const patience = new AbortController();
    const late = sleep(PATIENCE_MS, 'late', { signal: patience.signal }).catch(() => 'stopped');
    if ((await Promise.race([exited, late])) === 'late') child.kill('SIGKILL');
    patience.abort();
    await exited;
  };
  const exitCode = () => exited.then(() => child.exitCode);
  return { pid: child.pid ?? 0, hasExited, exitCode, tail: () => lines.join('\n'), stop };
}

// A process that ends without stopping its servers asks them to go; SIGINT is the orderly way of both.
process.on('exit', () => {
  for (const child of living) child.kill('SIGINT');
});
