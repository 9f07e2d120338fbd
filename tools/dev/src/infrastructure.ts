import { join } from 'node:path';
import { type ServiceName, services } from '@manifold/contracts';
import { createDatabase, startNats, startPostgres } from '@manifold/infrastructure';
import { accessOf, subscriberAccess } from '@manifold/messaging';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';

export interface Infrastructure {
  databases: Readonly<Record<ServiceName, { ownerUrl: string; appUrl: string }>>;
  /** The broker's address with one participant's credentials. */
  natsUrlOf(name: ServiceName | 'gateway' | 'subscriber'): string;
  /** Where Postgres and NATS come from, for the table on screen. */
  sources: { postgres: string; nats: string };
  stop(): Promise<void>;
}

/** Postgres with a database and two roles per service, NATS with a user per participant; both durable. */
export async function startInfrastructure(
  settings: Settings,
  secrets: Secrets,
): Promise<Infrastructure> {
  const stops = new AsyncDisposableStack();
  try {
    const [postgres, nats] = await Promise.all([
      startPostgres({
        dataDir: join(settings.home, 'postgres'),
        port: settings.ports.postgres,
        portVariable: 'POSTGRES_PORT',
        durable: true,
      }).then((server) => {
        stops.defer(() => server.stop());
        return server;
      }),
      startNats({
        storeDir: join(settings.home, 'nats'),
        port: settings.ports.nats,
        portVariable: 'NATS_PORT',
        durable: true,
        users: natsUsers(secrets),
        // on this machine alone, a client without credentials is the read-only subscriber
        anonymousUser: 'subscriber',
      }).then((server) => {
        stops.defer(() => server.stop());
        return server;
      }),
    ]);
    const databases = await createDatabases(postgres.url, secrets);
    return {
      databases,
      natsUrlOf: (name) => withCredentials(nats.url, name, secrets.natsPasswords[name] ?? ''),
      sources: { postgres: postgres.source, nats: `${nats.source} ${nats.version}` },
      stop: () => stops.disposeAsync(),
    };
  } catch (error) {
    await stops.disposeAsync();
    throw error;
  }
}

async function createDatabases(
  postgresUrl: string,
  secrets: Secrets,
): Promise<Infrastructure['databases']> {
  const made = new Map<ServiceName, { ownerUrl: string; appUrl: string }>();
  for (const service of services) {
    const name = `manifold_${service.replaceAll('-', '_')}`;
    const passwords = secrets.databasePasswords[service];
    made.set(
      service,
      await createDatabase(
        { url: postgresUrl },
        {
          name,
          ownerRole: `${name}_owner`,
          appRole: name,
          ...(passwords ? { passwords } : {}),
        },
      ),
    );
  }
  // one entry per service was just made
  return Object.fromEntries(made) as Infrastructure['databases'];
}

const natsUsers = (secrets: Secrets) =>
  [...services.map(accessOf), accessOf('gateway'), subscriberAccess('subscriber')].map(
    (access) => ({
      ...access,
      password: secrets.natsPasswords[access.user] ?? '',
    }),
  );

/** A server of the user's own (`NATS_URL`) keeps the credentials it came with. */
function withCredentials(url: string, user: string, password: string): string {
  if (process.env['NATS_URL']) return process.env['NATS_URL'];
  const address = new URL(url.includes('://') ? url : `nats://${url}`);
  address.username = user;
  address.password = password;
  return address.href;
}
