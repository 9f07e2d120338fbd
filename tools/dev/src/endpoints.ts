import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Infrastructure } from './infrastructure.ts';
import { adminTokenOf } from './sandbox.ts';
import { type Secrets, writePrivately } from './secrets.ts';
import type { ProcessPlan } from './services.ts';

/** What a script needs to use a running installation. */
export interface Endpoints {
  /** The full address of the graph. */
  gateway: string;
  /** Of the demo workspace's owner; send it as `Authorization: Bearer <apiKey>`. */
  apiKey: string;
  /** With the credentials of a subscriber that may read events and nothing else. */
  nats: string;
  sandbox: { url: string; apiToken: string; controlUrl: string };
  services: Record<string, { url: string; databaseUrl: string; pid: number }>;
  gatewayPid: number;
  sandboxPid: number;
  /** Keys of the demo's users by name: `owner`, `member`, `outsider`. */
  users: Record<string, { apiKey: string }>;
}

const fileOf = (home: string): string => join(home, 'endpoints.json');

/** Replaces `endpoints.json` in one step, readable by its owner only. */
export async function writeEndpoints(home: string, endpoints: Endpoints): Promise<void> {
  await writePrivately(fileOf(home), `${JSON.stringify(endpoints, null, 2)}\n`);
}

export async function removeEndpoints(home: string): Promise<void> {
  await rm(fileOf(home), { force: true });
}

/** What `endpoints.json` says of a running installation. */
export async function describeEndpoints(parts: {
  gateway: string;
  secrets: Secrets;
  infrastructure: Infrastructure;
  plans: readonly ProcessPlan[];
  pids: ReadonlyMap<string, number>;
  sandboxUrl: string;
}): Promise<Endpoints> {
  const { gateway, secrets, infrastructure, plans, pids, sandboxUrl } = parts;
  return {
    gateway,
    apiKey: secrets.ownerApiKey,
    nats: infrastructure.natsUrlOf('subscriber'),
    sandbox: {
      url: sandboxUrl,
      apiToken: await adminTokenOf(sandboxUrl),
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

/** Puts the processes' present pids in. */
export function applyPids(endpoints: Endpoints, pids: ReadonlyMap<string, number>): void {
  for (const [name, service] of Object.entries(endpoints.services)) {
    service.pid = pids.get(name) ?? service.pid;
  }
  endpoints.gatewayPid = pids.get('gateway') ?? endpoints.gatewayPid;
  endpoints.sandboxPid = pids.get('sandbox') ?? endpoints.sandboxPid;
}
