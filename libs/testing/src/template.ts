import { createHash, randomBytes } from 'node:crypto';
import { connectDatabase, migrateToLatest } from '@manifold/database';
import { createDatabase, dropDatabase } from '@manifold/infrastructure';
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The server of a vitest run, and what the names of all its databases begin with. */
export type TestRun = { postgresUrl: string; prefix: string; password: string };

/** A database, and the ways in for the two roles it shares with all copies of its template. */
type Copy = { name: string; ownerUrl: string; appUrl: string };

type Roles = { ownerRole: string; appRole: string };
type Migrations = Record<string, Migration>;

/**
 * A migrated database of one's own. Migrations run once for all who ask for the same: a copy takes a fifth of the
 * time. `scope` keeps projects apart whose migrations read alike.
 */
export async function createCopy(
  run: TestRun,
  { scope, migrations }: { scope: string; migrations: Migrations },
): Promise<Copy> {
  return withServer(run, async (server) => {
    const template = `${run.prefix}_${digestOf(scope, migrations)}`;
    const { ownerRole, appRole } =
      (await rolesOf(server, template)) ?? (await build(run, server, { template, migrations }));
    const name = `${run.prefix}_${randomBytes(6).toString('hex')}`;
    const [database, owner, app] = [name, ownerRole, appRole].map((each) => sql.id(each));
    await sql`create database ${database} template ${sql.id(template)} owner ${owner}`.execute(
      server,
    );
    // who may connect is not copied
    await sql`revoke all on database ${database} from public`.execute(server);
    await sql`grant connect on database ${database} to ${app}`.execute(server);
    return { name, ownerUrl: urlOf(run, name, ownerRole), appUrl: urlOf(run, name, appRole) };
  });
}

/** Drops a copy; its roles are the template's. */
export async function dropCopy(run: TestRun, name: string): Promise<void> {
  await withServer(run, (server) =>
    sql`drop database if exists ${sql.id(name)} with (force)`.execute(server),
  );
}

/** Drops every database and role of a run, also those of test files that failed before they could. */
export async function dropRun(run: TestRun): Promise<void> {
  await withServer(run, async (server) => {
    const mine = `${run.prefix}\\_%`;
    const databases = await sql<{ name: string }>`
      select datname as name from pg_database where datname like ${mine}`.execute(server);
    for (const { name } of databases.rows) {
      await sql`drop database if exists ${sql.id(name)} with (force)`.execute(server);
    }
    const roles = await sql<{ name: string }>`
      select rolname as name from pg_roles where rolname like ${mine}`.execute(server);
    for (const { name } of roles.rows) {
      await sql`drop role if exists ${sql.id(name)}`.execute(server);
    }
  });
}

/** Two workers that find nothing build one each; the first to give it its name is copied by both. */
async function build(
  run: TestRun,
  server: Kysely<unknown>,
  { template, migrations }: { template: string; migrations: Migrations },
): Promise<Roles> {
  const name = `${template}_${randomBytes(4).toString('hex')}`;
  const roles = { ownerRole: `${name}_owner`, appRole: `${name}_app` };
  const passwords = { owner: run.password, app: run.password };
  const urls = await createDatabase({ url: run.postgresUrl }, { name, ...roles, passwords });
  await migrateToLatest({ ownerUrl: urls.ownerUrl, runtimeUrl: urls.appUrl, migrations });
  try {
    await sql`alter database ${sql.id(name)} rename to ${sql.id(template)}`.execute(server);
    return roles;
  } catch (error) {
    const earlier = await rolesOf(server, template);
    if (earlier === undefined) throw error;
    await dropDatabase({ url: run.postgresUrl }, { name, ...roles });
    return earlier;
  }
}

async function rolesOf(server: Kysely<unknown>, template: string): Promise<Roles | undefined> {
  const { rows } = await sql<{ owner: string }>`
    select pg_get_userbyid(datdba) as owner from pg_database where datname = ${template}`.execute(
    server,
  );
  const ownerRole = rows[0]?.owner;
  if (ownerRole === undefined) return undefined;
  return { ownerRole, appRole: ownerRole.replace(/owner$/, 'app') };
}

function urlOf({ postgresUrl, password }: TestRun, name: string, role: string): string {
  const url = new URL(postgresUrl);
  return Object.assign(url, { pathname: name, username: role, password }).href;
}

/** Migrations by their names and texts: what they import is the same for a whole run. */
function digestOf(scope: string, migrations: Migrations): string {
  const texts = Object.entries(migrations).map(([name, one]) => [
    name,
    Object.values(one).map(String),
  ]);
  return createHash('sha256')
    .update(JSON.stringify([scope, texts]))
    .digest('hex')
    .slice(0, 16);
}

async function withServer<Result>(
  { postgresUrl }: TestRun,
  use: (server: Kysely<unknown>) => Promise<Result>,
): Promise<Result> {
  const server = connectDatabase<unknown>(postgresUrl, { max: 1 });
  try {
    return await use(server);
  } finally {
    await server.destroy();
  }
}
