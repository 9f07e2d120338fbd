import { setTimeout as sleep } from 'node:timers/promises';
import {
  applyPids,
  describeEndpoints,
  type Endpoints,
  removeEndpoints,
  writeEndpoints,
} from './endpoints.ts';
import { type Infrastructure, startInfrastructure } from './infrastructure.ts';
import { graphAnswers, waitUntilReady } from './ready.ts';
import type { Screen } from './screen.ts';
import { registerOAuthApp, sandboxPlan } from './sandbox.ts';
import { readSecrets, type Secrets } from './secrets.ts';
import { planProcesses, type ProcessPlan } from './services.ts';
import { logFile, requirePorts, ROOT, type Settings } from './settings.ts';
import { type Supervised, supervise } from './supervise.ts';

const READY_WITHIN_MS = 120_000;

export interface Running {
  endpoints: Endpoints;
  secrets: Secrets;
  /** Writes `endpoints.json` anew, after a process or a key changed. */
  rewriteEndpoints(): Promise<void>;
  infrastructure: Infrastructure;
  stop(): Promise<void>;
}

/**
 * Starts everything and returns when every process is ready and the graph answers. What was started
 * before a failure is stopped again.
 */
export async function startAll(
  settings: Settings,
  screen: Screen,
  signal: AbortSignal,
): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  await requirePorts(settings);
  screen.progress('Starting Postgres and NATS …');
  const secrets = await readSecrets(settings.home, process.env);
  const infrastructure = await startInfrastructure(settings, secrets);
  stack.defer(() => infrastructure.stop());
  // left by a start that was killed; the folder is ours now
  await removeEndpoints(settings.home);

  screen.progress('Starting the local Pipedrive …');
  const sandboxUrl = `http://127.0.0.1:${settings.ports.sandbox}`;
  const pids = new Map<string, number>();
  const running: { endpoints?: Endpoints } = {};
  const rewrite = () => rewriteEndpoints(settings.home, running.endpoints, pids);
  const launch = launcher({ settings, screen, pids, rewrite });
  stack.use(disposable(launch(sandboxPlan(settings, sandboxUrl))));
  const sandbox = [{ name: 'sandbox', url: sandboxUrl }];
  await waitUntilReady(sandbox, { signal, timeoutMs: READY_WITHIN_MS });

  await registerOAuthApp({ settings, secrets, sandboxUrl });

  const plans = planProcesses({ settings, secrets, infrastructure, sandboxUrl });
  const processes = plans.map((plan) => launch(plan));
  stack.defer(() => stopAll(processes));
  await untilReady(plans, { screen, signal });
  const gateway = `http://127.0.0.1:${settings.ports.gateway}/graphql`;
  await untilGraphAnswers(gateway, secrets.ownerApiKey, signal);

  running.endpoints = await describeEndpoints({
    gateway,
    secrets,
    infrastructure,
    plans,
    pids,
    sandboxUrl,
  });
  await rewrite();
  const stops = stack.move();
  return {
    endpoints: running.endpoints,
    secrets,
    rewriteEndpoints: rewrite,
    infrastructure,
    stop: async () => {
      delete running.endpoints;
      await removeEndpoints(settings.home);
      await stops.disposeAsync();
    },
  };
}

async function untilReady(
  plans: readonly ProcessPlan[],
  { screen, signal }: { screen: Screen; signal: AbortSignal },
): Promise<void> {
  await waitUntilReady(plans, {
    signal,
    timeoutMs: READY_WITHIN_MS,
    onProgress: ({ length: missing }) =>
      screen.progress(`Starting services: ${plans.length - missing} of ${plans.length} ready`),
  });
}

async function rewriteEndpoints(
  home: string,
  endpoints: Endpoints | undefined,
  pids: ReadonlyMap<string, number>,
): Promise<void> {
  if (!endpoints) return;
  applyPids(endpoints, pids);
  await writeEndpoints(home, endpoints);
}

const disposable = (process: Supervised) => ({ [Symbol.asyncDispose]: () => process.stop() });

async function stopAll(processes: readonly Supervised[]): Promise<void> {
  await Promise.all(processes.map((process) => process.stop()));
}

type Launchable = Pick<ProcessPlan, 'script' | 'env'> & { name: string };

function launcher(parts: {
  settings: Settings;
  screen: Screen;
  pids: Map<string, number>;
  rewrite: () => Promise<void>;
}) {
  const { settings, screen, pids, rewrite } = parts;
  return (plan: Launchable): Supervised =>
    supervise({
      name: plan.name,
      script: plan.script,
      env: plan.env,
      cwd: ROOT,
      logFile: logFile(settings, plan.name),
      onLine: settings.verbose
        ? (line) => screen.say(`${plan.name.padEnd(13)} ${line}`)
        : undefined,
      onStarted: (pid) => {
        if (pids.has(plan.name)) screen.say(`${plan.name} runs again`);
        pids.set(plan.name, pid);
        void rewrite().catch((error: unknown) =>
          screen.say(`endpoints.json not written: ${String(error)}`),
        );
      },
      onDied: (how, pauseMs) =>
        screen.say(
          `${plan.name} ended (${how}); starting it again in ${pauseMs} ms. Log: ${logFile(settings, plan.name)}`,
        ),
    });
}

async function untilGraphAnswers(
  gateway: string,
  apiKey: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await graphAnswers(gateway, apiKey))) {
    signal.throwIfAborted();
    if (Date.now() > deadline) throw new Error('The gateway is up but does not answer queries.');
    await sleep(100);
  }
}
