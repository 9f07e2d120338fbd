import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { type ServiceName, services } from '@manifold/contracts';
import { natsConfig } from '@manifold/infrastructure';
import { accessOf, subscriberAccess } from '@manifold/messaging';
import { z } from 'zod';

const PORT = '8080';

/** A file of settings for docker-compose.yml, by its name. */
export type SettingsFiles = Record<string, string>;

/**
 * Every file docker-compose.yml reads, with new keys and passwords: one environment per service,
 * the broker's users, and what only Compose itself needs.
 */
export function makeSettings(options: { publicUrl: string }): SettingsFiles {
  const secrets = makeSecrets();
  const files: SettingsFiles = {};
  for (const service of services) {
    files[`${service}.env`] = environment({
      ...reaches(service, secrets),
      IDENTITY_PUBLIC_KEY: secrets.identity.publicKey,
      ...ownEnvironment(service, { ...secrets, publicUrl: options.publicUrl }),
    });
  }
  files['gateway.env'] = environment({
    PORT,
    HOST: '0.0.0.0',
    NATS_URL: natsUrl('gateway', secrets),
    IDENTITY_PRIVATE_KEY: secrets.identity.privateKey,
    SERVICE_URLS: JSON.stringify(
      Object.fromEntries(services.map((name) => [name, `http://${name}:${PORT}`])),
    ),
  });
  files['databases.env'] = environment({
    POSTGRES_URL: `postgres://postgres:${secrets.postgres}@postgres:5432/postgres`,
    ...Object.fromEntries(
      services.flatMap((service) => {
        const name = variableOf(service);
        const { owner, app } = secrets.databases[service];
        return [
          [`${name}_OWNER_PASSWORD`, owner],
          [`${name}_PASSWORD`, app],
        ];
      }),
    ),
  });
  files['nats.conf'] = brokerConfig(secrets.nats);
  files['compose.env'] = environment({
    POSTGRES_PASSWORD: secrets.postgres,
    NATS_CONFIG: './.local/compose/nats.conf',
    API_KEY: secrets.ownerApiKey,
  });
  return files;
}

type Secrets = ReturnType<typeof makeSecrets>;

const secret = (bytes = 24): string => randomBytes(bytes).toString('base64url');

function makeSecrets() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const base64 = (pem: string) => Buffer.from(pem).toString('base64');
  const participants = [...services, 'gateway', 'subscriber'] as const;
  return {
    identity: { privateKey: base64(privateKey), publicKey: base64(publicKey) },
    masterKey: randomBytes(32).toString('base64'),
    ownerApiKey: `mf_${secret(32)}`,
    postgres: secret(),
    nats: byName(participants, () => secret()),
    databases: byName(services, () => ({ owner: secret(), app: secret() })),
  };
}

const byName = <Name extends string, Value>(names: readonly Name[], make: () => Value) =>
  // one entry per name was just made
  Object.fromEntries(names.map((name) => [name, make()])) as Record<Name, Value>;

const variableOf = (service: ServiceName): string => service.replaceAll('-', '_').toUpperCase();

function reaches(service: ServiceName, secrets: Secrets) {
  const name = `manifold_${service.replaceAll('-', '_')}`;
  const { owner, app } = secrets.databases[service];
  return {
    PORT,
    HOST: '0.0.0.0',
    DATABASE_URL: `postgres://${name}:${app}@postgres:5432/${name}`,
    DATABASE_OWNER_URL: `postgres://${name}_owner:${owner}@postgres:5432/${name}`,
    NATS_URL: natsUrl(service, secrets),
  };
}

const natsUrl = (name: ServiceName | 'gateway', { nats }: Secrets): string =>
  `nats://${name}:${nats[name]}@nats:4222`;

function ownEnvironment(
  service: ServiceName,
  { ownerApiKey, masterKey, publicUrl }: Secrets & { publicUrl: string },
): Record<string, string> {
  switch (service) {
    case 'workspaces':
      return {
        BOOTSTRAP_API_KEY: ownerApiKey,
        BOOTSTRAP_WORKSPACE_NAME: 'Main',
        BOOTSTRAP_OWNER_NAME: 'Owner',
        BOOTSTRAP_OWNER_EMAIL: 'owner@example.com',
      };
    case 'connections':
      return { MASTER_KEY: masterKey, PUBLIC_URL: publicUrl };
    case 'field-mapping':
    case 'contacts':
    case 'referrals':
    case 'audit':
      return {};
  }
}

function brokerConfig(passwords: Readonly<Record<string, string>>): string {
  const users = [...services.map(accessOf), accessOf('gateway'), subscriberAccess('subscriber')];
  return natsConfig({
    host: '0.0.0.0',
    port: 4222,
    monitorPort: 8222,
    storeDir: '/data',
    durable: true,
    users: users.map((access) => {
      const password = passwords[access.user];
      if (password === undefined)
        throw new Error(`The settings hold no password of ${access.user}`);
      return { ...access, password };
    }),
  });
}

const Kept = z.object({
  authorization: z.object({
    users: z.array(z.object({ user: z.string(), password: z.string() })),
  }),
});

/** The broker's configuration as this version needs it, with the passwords of an earlier one. */
export function renewBroker(earlier: string): string {
  const { users } = Kept.parse(JSON.parse(earlier)).authorization;
  return brokerConfig(Object.fromEntries(users.map(({ user, password }) => [user, password])));
}

/** One `NAME=value` per line, as Compose and shells read it. */
const environment = (values: Record<string, string>): string =>
  `${Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
