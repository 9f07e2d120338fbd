import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Endpoints, removeEndpoints, writeEndpoints } from './endpoints.ts';
import { type Infrastructure, startInfrastructure } from './infrastructure.ts';
import { graphAnswers, waitUntilReady } from './ready.ts';
import type { Screen } from './screen.ts';
import { readSecrets, type Secrets } from './secrets.ts';
import {
  machineEnvironment,
  OAUTH_CLIENT_ID,
  OAUTH_SCOPES,
  planProcesses,
  type ProcessPlan,
  redirectUrlOf,
} from './services.ts';
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

  screen.progress('Starting the local Pipedrive …');
  const sandboxUrl = `http://127.0.0.1:${settings.ports.sandbox}`;
  const pids = new Map<string, number>();
  const running: { endpoints?: Endpoints } = {};
  const rewrite = async () => {
    if (!running.endpoints) return;
    applyPids(running.endpoints, pids);
    await writeEndpoints(settings.home, running.endpoints);
  };
  const launch = launcher({ settings, screen, pids, rewrite });
  stack.use(disposable(launch(sandboxPlan(settings, sandboxUrl))));
  const sandbox = [{ name: 'sandbox', url: sandboxUrl }];
  await waitUntilReady(sandbox, { signal, timeoutMs: READY_WITHIN_MS });

  await registerOAuthApp({ settings, secrets, sandboxUrl });

  const plans = planProcesses({ settings, secrets, infrastructure, sandboxUrl });
  const processes = plans.map((plan) => launch(plan));
  stack.defer(() => stopAll(processes));
  await waitUntilReady(plans, {
    signal,
    timeoutMs: READY_WITHIN_MS,
    onProgress: ({ length: missing }) =>
      screen.progress(`Starting services: ${plans.length - missing} of ${plans.length} ready`),
  });
  const gateway = `http://127.0.0.1:${settings.ports.gateway}/graphql`;
  await untilGraphAnswers(gateway, secrets.ownerApiKey, signal);

  running.endpoints = await describe({ gateway, secrets, infrastructure, plans, pids, sandboxUrl });
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

const sandboxPlan = (settings: Settings, url: string): Launchable => ({
  name: 'sandbox',
  script: join(ROOT, 'tools/pipedrive-sandbox/src/main.ts'),
  env: {
    ...machineEnvironment(),
    PORT: new URL(url).port,
    SANDBOX_DATA_FILE: join(settings.home, 'sandbox', 'pipedrive.sqlite'),
    SANDBOX_LIMITS: process.env['SANDBOX_LIMITS'] ?? 'off',
  },
});

/** Makes us known to the local Pipedrive, as one registers an app in its Developer Hub. */
async function registerOAuthApp(parts: {
  settings: Settings;
  secrets: Secrets;
  sandboxUrl: string;
}) {
  const answer = await fetch(`${parts.sandboxUrl}/control/apps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'Manifold',
      clientId: OAUTH_CLIENT_ID,
      clientSecret: parts.secrets.oauthClientSecret,
      redirectUris: [redirectUrlOf(parts.settings)],
      scopes: OAUTH_SCOPES,
    }),
  });
  if (!answer.ok) throw new Error(`The local Pipedrive did not take our app: ${answer.status}`);
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

const SandboxState = z.object({
  users: z.array(z.object({ apiToken: z.string(), admin: z.boolean() })),
});

async function describe(parts: {
  gateway: string;
  secrets: Secrets;
  infrastructure: Infrastructure;
  plans: readonly ProcessPlan[];
  pids: ReadonlyMap<string, number>;
  sandboxUrl: string;
}): Promise<Endpoints> {
  const { gateway, secrets, infrastructure, plans, pids, sandboxUrl } = parts;
  const state = SandboxState.parse(await (await fetch(`${sandboxUrl}/control/state`)).json());
  return {
    gateway,
    apiKey: secrets.ownerApiKey,
    nats: infrastructure.natsUrlOf('subscriber'),
    sandbox: {
      url: sandboxUrl,
      apiToken: state.users.find(({ admin }) => admin)?.apiToken ?? '',
      controlUrl: `${sandboxUrl}/control`,
    },
    services: Object.fromEntries(
      plans.flatMap(({ name, url }) =>
        name === 'gateway'
          ? []
          : [
              [
                name,
                {
                  url,
                  databaseUrl: infrastructure.databases[name].appUrl,
                  pid: pids.get(name) ?? 0,
                },
              ],
            ],
      ),
    ),
    gatewayPid: pids.get('gateway') ?? 0,
    sandboxPid: pids.get('sandbox') ?? 0,
    users: usersOf(secrets),
  };
}

/** The demo's users, as far as they exist. */
export const usersOf = (secrets: Secrets): Endpoints['users'] => ({
  owner: { apiKey: secrets.ownerApiKey },
  ...Object.fromEntries(
    Object.entries(secrets.userApiKeys).map(([name, apiKey]) => [name, { apiKey }]),
  ),
});

function applyPids(endpoints: Endpoints, pids: ReadonlyMap<string, number>): void {
  for (const [name, service] of Object.entries(endpoints.services)) {
    service.pid = pids.get(name) ?? service.pid;
  }
  endpoints.gatewayPid = pids.get('gateway') ?? endpoints.gatewayPid;
  endpoints.sandboxPid = pids.get('sandbox') ?? endpoints.sandboxPid;
}
