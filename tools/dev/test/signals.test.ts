import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@manifold/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { PORT_VARIABLES, ROOT } from '../src/settings.ts';

const Pids = z.object({
  services: z.record(z.string(), z.object({ pid: z.int() })),
  gatewayPid: z.int(),
  sandboxPid: z.int(),
});

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  '%s to npm itself stops everything and leaves no endpoints.json',
  async (signal) => {
    const home = await mkdtemp(join(tmpdir(), 'manifold-signals-'));
    const file = join(home, 'endpoints.json');
    const { DATABASE_URL: _, NATS_URL: __, ...env } = process.env;
    const ports = Object.fromEntries(PORT_VARIABLES.map((variable) => [variable, '0']));
    const npm = spawn('npm', ['start', '--', '--empty'], {
      cwd: ROOT,
      env: { ...env, ...ports, MANIFOLD_HOME: home },
      stdio: 'ignore',
    });
    const read = async () => Pids.parse(JSON.parse(await readFile(file, 'utf8')));
    const { services, gatewayPid, sandboxPid } = await eventually(read, { timeoutMs: 120_000 });
    npm.kill(signal);
    const pids = [...Object.values(services).map(({ pid }) => pid), gatewayPid, sandboxPid];
    await eventually(
      () => {
        for (const pid of pids) expect(() => process.kill(pid, 0), String(pid)).toThrow('ESRCH');
        expect(existsSync(file)).toBe(false);
      },
      { timeoutMs: 30_000 },
    );
    // the servers end last and may still write
    await rm(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
  },
  180_000,
);
