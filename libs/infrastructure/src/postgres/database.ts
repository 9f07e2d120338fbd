import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** The names of one service's database and of its two roles. */
export type ServiceDatabase = {
  name: string;
  /** Owns the database and its tables; runs migrations. */
  ownerRole: string;
  /** What the service runs as: neither owner nor superuser, so that row-level security binds it. */
  appRole: string;
};

type Passwords = { owner: string; app: string };

/**
 * One database and two roles for one service. Calling it again keeps the data and sets the passwords anew;
 * absent passwords are random, so the URLs of the latest call are the ones that work. Nobody else may connect.
 *
 * @throws Error when a role of that name exists and may do more than a service should.
 */
export async function createDatabase(
  postgres: { url: string },
  database: ServiceDatabase & { passwords?: Passwords },
): Promise<{ ownerUrl: string; appUrl: string }> {
  const { name, ownerRole, appRole, passwords = { owner: secret(), app: secret() } } = database;
  const [db, owner, app] = [name, ownerRole, appRole].map((each) => pg.escapeIdentifier(each));

  await withClient(postgres.url, async (client) => {
    // two starts at once would both find the role missing
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [`manifold:${name}`]);
    await ensureRole(client, ownerRole, passwords.owner);
    await ensureRole(client, appRole, passwords.app);
    // a creator who is no superuser must be a member of the owner it names
    await client.query(`grant ${owner} to current_user`);
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) {
      await client.query(
        `create database ${db} owner ${owner} template template0
           encoding 'UTF8' locale_provider libc locale 'C'`,
      );
    }
    await client.query(`revoke all on database ${db} from public`);
    await client.query(`grant connect on database ${db} to ${app}`);
  });

  const ownerUrl = urlFor(postgres.url, { name, role: ownerRole, password: passwords.owner });
  await withClient(ownerUrl, async (client) => {
    await client.query('revoke create on schema public from public');
    await client.query(`grant usage on schema public to ${app}`);
  });
  return {
    ownerUrl,
    appUrl: urlFor(postgres.url, { name, role: appRole, password: passwords.app }),
  };
}

/** Removes what `createDatabase` made, ending the connections to it. Missing parts are no error. */
export async function dropDatabase(
  postgres: { url: string },
  { name, ownerRole, appRole }: ServiceDatabase,
): Promise<void> {
  await withClient(postgres.url, async (client) => {
    await client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
    for (const role of [appRole, ownerRole]) {
      await client.query(`drop role if exists ${pg.escapeIdentifier(role)}`);
    }
  });
}

async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const { rows } = await client.query<{ powerful: boolean }>(
    `select rolsuper or rolbypassrls or rolcreatedb or rolcreaterole as powerful
       from pg_roles where rolname = $1`,
    [role],
  );
  if (rows[0]?.powerful)
    throw new Error(`Role ${role} exists and may do more than a service should.`);
  const verb = rows.length === 0 ? 'create' : 'alter';
  await client.query(
    `${verb} role ${pg.escapeIdentifier(role)} login password ${pg.escapeLiteral(password)}`,
  );
}

async function withClient(url: string, use: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

function urlFor(
  serverUrl: string,
  login: { name: string; role: string; password: string },
): string {
  const url = new URL(serverUrl);
  url.pathname = encodeURIComponent(login.name);
  url.username = encodeURIComponent(login.role);
  url.password = encodeURIComponent(login.password);
  return url.href;
}

const secret = (): string => randomBytes(24).toString('base64url');
