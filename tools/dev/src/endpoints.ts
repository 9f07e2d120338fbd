import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivately } from './secrets.ts';

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
