import { parseArgs } from 'node:util';
import { join, resolve } from 'node:path';
import { findFreePort, PortTaken } from '@manifold/infrastructure';
import { createServer } from 'node:net';

/** The repository's root, whatever folder the command was typed in. */
export const ROOT = resolve(import.meta.dirname, '../../..');

/** Name → environment variable and usual port. `0` in the variable means any free port. */
const ports = {
  gateway: ['GATEWAY_PORT', 4000],
  workspaces: ['WORKSPACES_PORT', 4001],
  connections: ['CONNECTIONS_PORT', 4002],
  'field-mapping': ['FIELD_MAPPING_PORT', 4003],
  contacts: ['CONTACTS_PORT', 4004],
  referrals: ['REFERRALS_PORT', 4005],
  audit: ['AUDIT_PORT', 4006],
  sandbox: ['SANDBOX_PORT', 4700],
  nats: ['NATS_PORT', 4722],
  postgres: ['POSTGRES_PORT', 4732],
} as const;

/** The environment variables that choose ports. */
export const PORT_VARIABLES = Object.values(ports).map(([variable]) => variable);

export type Part = keyof typeof ports;

export interface Settings {
  /** Start without demo data. */
  empty: boolean;
  /** Logs on screen as well as in files. */
  verbose: boolean;
  /** Where data, logs, keys and `endpoints.json` live. */
  home: string;
  ports: Readonly<Record<Part, number>>;
  /** Addresses below which a browser may be sent after consenting, comma list. */
  returnUrls: string;
  /** How many records the demo puts into the local Pipedrive. */
  demo: { persons: number; organizations: number };
}

/** Where the front end somebody develops usually is. */
const LOCAL_RETURN_URLS = 'http://localhost:3000,http://127.0.0.1:3000';

export const HELP = `npm start [-- options]
  --empty     start without demo data
  --verbose   show the services' logs on screen too
  --help      this text
Ports: ${Object.values(ports)
  .map(([variable, port]) => `${variable}=${port}`)
  .join(' ')} (0: any free one)
Demo: DEMO_PERSONS=10000 DEMO_ORGANIZATIONS=2000
Where a browser may be sent after consenting: RETURN_URLS=${LOCAL_RETURN_URLS}
Servers of your own: DATABASE_URL, NATS_URL. Data, logs and keys: MANIFOLD_HOME=.local`;

/** Reads options and environment; throws with the option at fault. */
export async function readSettings(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Settings & { help: boolean }> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      empty: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const chosen: [Part, number][] = [];
  for (const [part, [variable, usual]] of partsOf())
    chosen.push([part, await portOf(env, variable, usual)]);
  const twice = chosen.find(([, port], index) =>
    chosen.slice(0, index).some(([, other]) => other === port),
  );
  if (twice)
    throw new Error(`Port ${twice[1]} is chosen twice; give ${ports[twice[0]][0]} another.`);
  const byPart = new Map(chosen);
  const port = (part: Part) => byPart.get(part) ?? 0;
  return {
    ...values,
    returnUrls: env['RETURN_URLS'] ?? LOCAL_RETURN_URLS,
    home: resolve(ROOT, env['MANIFOLD_HOME'] ?? '.local'),
    demo: {
      persons: countOf(env, 'DEMO_PERSONS', 10_000),
      organizations: countOf(env, 'DEMO_ORGANIZATIONS', 2_000),
    },
    ports: {
      gateway: port('gateway'),
      workspaces: port('workspaces'),
      connections: port('connections'),
      'field-mapping': port('field-mapping'),
      contacts: port('contacts'),
      referrals: port('referrals'),
      audit: port('audit'),
      sandbox: port('sandbox'),
      nats: port('nats'),
      postgres: port('postgres'),
    },
  };
}

const partsOf = () =>
  // the keys of a literal are its parts
  Object.entries(ports) as [Part, readonly [string, number]][];

function countOf(env: NodeJS.ProcessEnv, variable: string, usual: number): number {
  const count = Number(env[variable] ?? usual);
  if (Number.isInteger(count) && count > 0 && count <= 1_000_000) return count;
  throw new Error(`${variable} has to be a number from 1 to 1000000.`);
}

async function portOf(env: NodeJS.ProcessEnv, variable: string, usual: number): Promise<number> {
  const text = env[variable] ?? String(usual);
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(
      `${variable}=${text} is not a port number. Use 1 to 65535, or 0 for any free one.`,
    );
  }
  return port === 0 ? findFreePort() : port;
}

/** Their starters look themselves, after stopping a server that a killed start left on its folder. */
const LOOKED_AT_LATER: readonly Part[] = ['nats', 'postgres'];

/** Throws `PortTaken`, naming the variable to change, when a port of a process of ours is in use. */
export async function requirePorts(settings: Settings): Promise<void> {
  for (const [part, [variable]] of partsOf()) {
    if (LOOKED_AT_LATER.includes(part)) continue;
    const port = settings.ports[part];
    const free = await new Promise<boolean>((done) => {
      const probe = createServer();
      probe.once('error', () => done(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
    });
    if (!free) throw new PortTaken(port, variable);
  }
}

export const logFile = (settings: Settings, name: string): string =>
  join(settings.home, 'logs', `${name}.log`);
