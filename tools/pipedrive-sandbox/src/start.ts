import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createFaults } from './faults/faults.ts';
import { createCatalogue } from './fields/catalogue.ts';
import { createSandboxServer } from './http/server.ts';
import { seedLabels } from './leads/labels.ts';
import { createLedger } from './ledger/ledger.ts';
import { createLimiter } from './limits/limiter.ts';
import { type Limits, limitRules } from './limits/limits.ts';
import { openDatabase } from './store/database.ts';
import { listUsers, readCompany, seedCompany } from './users/users.ts';
import { startCourier } from './webhooks/courier.ts';
import { createOutbox } from './webhooks/outbox.ts';
import type { World } from './world.ts';

export interface SandboxOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** A SQLite file that survives restarts, tokens and ids included; without it all is in memory. */
  dataFile?: string;
  /** Default "off". */
  limits?: 'off' | Limits;
  /** Makes the users' API tokens the same on every first start; otherwise they are random. */
  seed?: string | number;
  /** Milliseconds until a write is found by search; default 500. */
  searchLagMs?: number;
  /** Milliseconds before the second, third and fourth webhook attempt; default 3, 30 and 150 s. */
  webhookRetryDelaysMs?: number[];
  now?: () => Date;
  /** Gets lines about unexpected errors; never tokens or records. */
  log?: (line: string) => void;
}

/** A running sandbox. `apiToken` belongs to the administrator. */
export interface Sandbox {
  url: string;
  controlUrl: string;
  apiToken: string;
  stop(): Promise<void>;
}

/** Starts a local Pipedrive on one port. Throws when the port is taken or the data file cannot be opened. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { host = '127.0.0.1', port = 0, log = () => {} } = options;
  let url = '';
  const world = createWorld(options, () => url);
  const server = createSandboxServer(world, log);
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    world.db.close();
    throw error;
  }
  url = `http://${host}:${portOf(server.address())}`;
  const stopCourier = startCourier(world, {
    retryDelaysMs: options.webhookRetryDelaysMs ?? [3_000, 30_000, 150_000],
    log,
  });
  const admin = listUsers(world.db).find((user) => user.admin);
  return {
    url,
    controlUrl: `${url}/control`,
    apiToken: admin?.apiToken ?? '',
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await stopCourier();
      world.db.close();
    },
  };
}

function createWorld(options: SandboxOptions, url: () => string): World {
  const { now = () => new Date(), seed, searchLagMs = 500 } = options;
  const db = openDatabase(options.dataFile);
  db.transaction(() => {
    seedCompany(db, seed === undefined ? undefined : String(seed), now());
    seedLabels(db, now());
  });
  const company = readCompany(db);
  const ledger = createLedger(db, now);
  return {
    db,
    company,
    fields: db.transaction(() => createCatalogue(db, now())),
    limiter: createLimiter(limitRules(options.limits ?? 'off'), ledger, now),
    faults: createFaults(),
    ledger,
    outbox: createOutbox(db, company, now),
    now,
    searchLagMs,
    url,
  };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
