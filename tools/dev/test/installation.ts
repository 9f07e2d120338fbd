import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@manifold/testing';
import { expect } from 'vitest';
import { z } from 'zod';
import { connectGraph, type Graph } from '../src/graph.ts';
import { PORT_VARIABLES, ROOT } from '../src/settings.ts';

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
  endpoints(): Promise<Endpoints>;
  graph(user?: string): Promise<Graph>;
  pipedrive(path: string, init?: { method?: string; body?: unknown }): Promise<unknown>;
  output(): string;
  /** Waits until a text was printed. */
  printed(text: string, timeoutMs: number): Promise<void>;
  /** Sends Ctrl-C's signal and waits for the end; returns the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const READY_WITHIN_MS = 120_000;

/** Starts one and waits until `endpoints.json` is there. `ports` pins the ports of an earlier start. */
export async function startInstallation(options: {
  args?: readonly string[];
  home?: string;
  env?: Record<string, string>;
}): Promise<Installation> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'manifold-installation-')));
  const { DATABASE_URL: _, NATS_URL: __, ...env } = process.env;
  const child = spawn(
    process.execPath,
    [join(ROOT, 'tools/dev/src/main.ts'), ...(options.args ?? [])],
    {
      env: {
        ...env,
        ...Object.fromEntries(PORT_VARIABLES.map((variable) => [variable, '0'])),
        MANIFOLD_HOME: home,
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const installation = describeInstallation(home, child);
  await eventually(() => installation.endpoints(), { timeoutMs: READY_WITHIN_MS });
  return installation;
}

/** Removes the folder of a stopped installation. */
export async function removeInstallation({ home }: Installation): Promise<void> {
  await rm(home, { recursive: true, force: true });
}

function describeInstallation(home: string, child: ChildProcess): Installation {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  }
  const endpoints = async () => {
    // an installation that gave up says why; waiting on would hide it
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}:\n${output}`);
    return Endpoints.parse(JSON.parse(await readFile(join(home, 'endpoints.json'), 'utf8')));
  };
  return {
    home,
    endpoints,
    graph: async (user = 'owner') => {
      const { gateway, users, apiKey } = await endpoints();
      return connectGraph(gateway, users[user]?.apiKey ?? apiKey);
    },
    pipedrive: async (path, init = {}) => {
      const { sandbox } = await endpoints();
      const response = await fetch(`${sandbox.url}${path}`, {
        method: init.method ?? 'GET',
        headers: { 'x-api-token': sandbox.apiToken, 'content-type': 'application/json' },
        ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      });
      expect(response.status, `${init.method ?? 'GET'} ${path}`).toBeLessThan(300);
      return response.json();
    },
    output: () => output,
    printed: (text, timeoutMs) => eventually(() => expect(output).toContain(text), { timeoutMs }),
    stop: async (signal = 'SIGINT') => {
      if (child.exitCode === null) {
        child.kill(signal);
        await once(child, 'exit');
      }
      return child.exitCode;
    },
  };
}
