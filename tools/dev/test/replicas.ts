import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { services } from '@manifold/contracts';
import { bundleService } from '@manifold/deploy';
import { findFreePort } from '@manifold/infrastructure';
import { startSandbox } from '@manifold/pipedrive-sandbox';
import { runDemo } from '../src/demo.ts';
import { describeEndpoints, type Endpoints } from '../src/endpoints.ts';
import { startInfrastructure } from '../src/infrastructure.ts';
import { waitUntilReady } from '../src/ready.ts';
import { registerOAuthApp } from '../src/sandbox.ts';
import { readSecrets } from '../src/secrets.ts';
import { planProcesses, type ProcessPlan } from '../src/services.ts';
import { PORT_VARIABLES, readSettings } from '../src/settings.ts';
import { shareOut } from './replicas-front.ts';

const REPLICAS = 2;

/** Every service from its bundle, twice, behind something that shares connections out. */
export interface Replicated {
  endpoints: Endpoints;
  /** Ends one of a service's processes without a word, for good. */
  killOne(name: string): void;
  stop(): Promise<void>;
}

export async function startReplicated(demo: { persons: number; organizations: number }) {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'manifold-replicas-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const anyPorts = Object.fromEntries(PORT_VARIABLES.map((variable) => [variable, '0']));
  const read = await readSettings([], { ...anyPorts, MANIFOLD_HOME: home });
  const settings = { ...read, demo };
  const secrets = await readSecrets(home, {});
  const infrastructure = await startInfrastructure(settings, secrets);
  stack.defer(() => infrastructure.stop());
  const sandbox = await startSandbox({ port: settings.ports.sandbox });
  stack.defer(() => sandbox.stop());
  await registerOAuthApp({ settings, secrets, sandboxUrl: sandbox.url });

  const plans = planProcesses({ settings, secrets, infrastructure, sandboxUrl: sandbox.url });
  const running = new Map<string, ChildProcess[]>();
  for (const plan of plans) running.set(plan.name, await startPlan(plan, { home, stack }));
  const { signal } = new AbortController();
  await waitUntilReady(plans, { signal, timeoutMs: 120_000 });
  const gateway = `${plans.at(-1)?.url}/graphql`;
  const endpoints = await describeEndpoints({
    gateway,
    secrets,
    infrastructure,
    plans,
    pids: new Map(),
    sandboxUrl: sandbox.url,
  });
  const unused = { rewriteEndpoints: async () => {}, stop: async () => {} };
  const screen = { progress: () => {}, say: () => {}, table: () => {} };
  const whole = { endpoints, secrets, infrastructure, ...unused };
  await runDemo({ running: whole, settings, screen, signal });
  const held = stack.move();
  return {
    endpoints,
    killOne: (name: string) => void running.get(name)?.[0]?.kill('SIGKILL'),
    stop: () => held.disposeAsync(),
  } satisfies Replicated;
}

export const programs = [...services, 'gateway'];

/** Bundles one program and starts it twice; what was started ends with the stack. */
async function startPlan(
  plan: ProcessPlan,
  { home, stack }: { home: string; stack: AsyncDisposableStack },
): Promise<ChildProcess[]> {
  const folder = join(home, 'bundles', plan.name);
  await bundleService(plan.name, folder);
  const replicas = await startReplicas(plan, folder);
  const children = replicas.map(({ child }) => child);
  stack.defer(async () => void (await Promise.all(children.map(stopProcess))));
  const ports = replicas.map(({ port }) => port);
  stack.defer(await shareOut(Number(new URL(plan.url).port), ports));
  return children;
}

async function startReplicas(plan: ProcessPlan, folder: string) {
  const ports = await Promise.all(Array.from({ length: REPLICAS }, findFreePort));
  return ports.map((port) => {
    const child = spawn(process.execPath, ['main.js'], {
      // the bundle's folder and its environment are all it has
      cwd: folder,
      env: { ...plan.env, PORT: String(port), LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return { child, port };
  });
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
