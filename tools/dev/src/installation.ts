import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { connectGraph, type Graph } from './graph.ts';
import { PORT_VARIABLES, ROOT } from './settings.ts';

const Endpoints = z.object({
  gateway: z.url(),
  apiKey: z.string(),
  nats: z.string(),
  sandbox: z.object({ url: z.url(), apiToken: z.string(), controlUrl: z.url() }),
  services: z.record(z.string(), z.object({ url: z.url(), databaseUrl: z.string(), pid: z.int() })),
  gatewayPid: z.int(),
  sandboxPid: z.int(),
  users: z.record(z.string(), z.object({ apiKey: z.string() })),
});
export type Endpoints = z.infer<typeof Endpoints>;

/** A whole Manifold, started as `npm start` starts it, on free ports and in a folder of its own. */
export interface Installation {
  readonly home: string;
  /** Of the process that runs all others. */
  readonly pid: number;
  endpoints(): Promise<Endpoints>;
  graph(user?: string): Promise<Graph>;
  /** Asks the local Pipedrive as its administrator; an answer other than 2xx is thrown. */
  pipedrive(path: string, init?: { method?: string; body?: unknown }): Promise<unknown>;
  output(): string;
  /** Waits until a text was printed. */
  printed(text: string, timeoutMs: number): Promise<void>;
  /** Sends Ctrl-C's signal and waits for the end; returns the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const READY_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 20;

/**
 * Starts one and waits until `endpoints.json` is there. It ends when this process does, and when
 * `signal` is aborted; the folder stays until `removeInstallation`.
 */
export async function startInstallation(options: {
  args?: readonly string[];
  /** Of an installation stopped before; a fresh folder when absent. */
  home?: string;
  env?: Record<string, string>;
  signal?: AbortSignal;
}): Promise<Installation> {
  const { signal } = options;
  signal?.throwIfAborted();
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'manifold-installation-')));
  const child = spawnIn(home, options);
  const installation = describeInstallation(home, child);
  const stop = () => void child.kill('SIGINT');
  signal?.addEventListener('abort', stop, { once: true });
  child.once('exit', () => signal?.removeEventListener('abort', stop));
  try {
    await patiently(child, READY_WITHIN_MS, () => installation.endpoints());
  } catch (error) {
    await installation.stop();
    throw error;
  }
  return installation;
}

/** Removes the folder of a stopped installation. */
export async function removeInstallation({ home }: { home: string }): Promise<void> {
  await rm(home, { recursive: true, force: true });
}

const FOLLOW_PARENT = new URL('./follow-parent.ts', import.meta.url).href;

function spawnIn(
  home: string,
  { args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> },
): ChildProcess {
  const { DATABASE_URL: _, NATS_URL: __, ...inherited } = process.env;
  const main = join(ROOT, 'tools/dev/src/main.ts');
  return spawn(process.execPath, ['--import', FOLLOW_PARENT, main, ...args], {
    env: {
      ...inherited,
      ...Object.fromEntries(PORT_VARIABLES.map((variable) => [variable, '0'])),
      MANIFOLD_HOME: home,
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

function describeInstallation(home: string, child: ChildProcess): Installation {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  }
  const endpoints = async () => {
    if (hasEnded(child)) throw new Error(`It ended with ${child.exitCode}:\n${output}`);
    return Endpoints.parse(JSON.parse(await readFile(join(home, 'endpoints.json'), 'utf8')));
  };
  const requirePrinted = (text: string) => {
    if (!output.includes(text)) throw new Error(`"${text}" was not printed, only:\n${output}`);
  };
  return {
    home,
    pid: child.pid ?? 0,
    endpoints,
    graph: async (user = 'owner') => {
      const { gateway, users, apiKey } = await endpoints();
      return connectGraph(gateway, users[user]?.apiKey ?? apiKey);
    },
    pipedrive: async (path, init = {}) => askPipedrive((await endpoints()).sandbox, path, init),
    output: () => output,
    printed: (text, timeoutMs) => patiently(child, timeoutMs, () => requirePrinted(text)),
    stop: async (signal = 'SIGINT') => {
      if (!hasEnded(child)) {
        child.kill(signal);
        await once(child, 'exit');
      }
      return child.exitCode;
    },
  };
}

async function askPipedrive(
  sandbox: Endpoints['sandbox'],
  path: string,
  { method = 'GET', body }: { method?: string; body?: unknown },
): Promise<unknown> {
  const response = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: { 'x-api-token': sandbox.apiToken, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

/** Tries again until it works; not after the end, whose last words waiting on would hide. */
async function patiently<Result>(
  child: ChildProcess,
  timeoutMs: number,
  attempt: () => Result | Promise<Result>,
): Promise<Result> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const last = hasEnded(child) || performance.now() > deadline;
    try {
      return await attempt();
    } catch (error) {
      if (last) throw error;
      await sleep(LOOK_EVERY_MS);
    }
  }
}
