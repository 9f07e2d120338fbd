import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Clock } from './clock/clock.ts';
import { createPersistedClock } from './clock/persisted.ts';
import { createFaults } from './faults/faults.ts';
import { createCatalogue } from './fields/catalogue.ts';
import { createSandboxServer } from './http/server.ts';
import { seedLabels } from './leads/labels.ts';
import { createLedger } from './ledger/ledger.ts';
import { createLimiter } from './limits/limiter.ts';
import { type Limits, limitRules } from './limits/limits.ts';
import { createRefreshes } from './oauth/refreshes.ts';
import { openDatabase } from './store/database.ts';
import { seedPipelines } from './pipelines/seed.ts';
import { listUsers, readCompany, seedCompany } from './users/users.ts';
import { startCourier } from './webhooks/courier.ts';
import { createOutbox } from './webhooks/outbox.ts';
import type { World } from './world.ts';

export interface SandboxOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** How others reach it, when it stands behind a host name; goes into token answers. */
  publicUrl?: string;
  /** A SQLite file that survives restarts, tokens and ids included; without it all is in memory. */
  dataFile?: string;
  /** Default "off". */
  limits?: 'off' | Limits;
  /** Makes the users' API tokens the same on every first start; otherwise they are random. */
  seed?: string | number;
  /** Milliseconds of its clock until a write is found by search; default 500. */
  searchLagMs?: number;
  /** Milliseconds of its clock before the second, third and fourth webhook attempt; default 3, 30 and 150 s. */
  webhookRetryDelaysMs?: number[];
  /** How many times faster its clock runs, for everything it does; default 1. */
  timeFactor?: number;
  /** Another clock; `timeFactor` then only shortens waiting. */
  now?: () => Date;
  /** Gets lines about unexpected errors; never tokens or records. */
  log?: (line: string) => void;
}

/** A running sandbox. `apiToken` belongs to the administrator. */
export interface Sandbox {
  url: string;
  controlUrl: string;
  apiToken: string;
  /** Its clock, jumps included, for those who must agree with it. */
  clock: Pick<Clock, 'now' | 'realMs'>;
  stop(): Promise<void>;
}

/** Starts a local Pipedrive on one port. Throws when the port is taken or the data file cannot be opened. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { host = '127.0.0.1', port = 0, log = () => {} } = options;
  let url = '';
  const world = createWorld(options, () => options.publicUrl ?? url);
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
    clock: { now: world.clock.now, realMs: world.clock.realMs },
    async stop() {
      world.clock.stop();
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
  const { seed, searchLagMs = 500, timeFactor: factor = 1 } = options;
  const db = openDatabase(options.dataFile);
  const clock = createPersistedClock(db, { factor, ...(options.now ? { now: options.now } : {}) });
  const { now } = clock;
  db.transaction(() => {
    seedCompany(db, seed === undefined ? undefined : String(seed), now());
    seedLabels(db, now());
    seedPipelines(db, now());
  });
  const company = readCompany(db);
  const ledger = createLedger(db, now);
  return {
    db,
    company,
    fields: db.transaction(() => createCatalogue(db, now())),
    limiter: createLimiter(limitRules(options.limits ?? 'off'), ledger, now),
    faults: createFaults(),
    refreshes: createRefreshes(),
    ledger,
    outbox: createOutbox(db, company, now),
    now,
    clock,
    searchLagMs,
    url,
  };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
