import pg from 'pg';
import type { PostgresServer } from './server.ts';

const OLDEST = 150_000;

/** Checks that the server behind `DATABASE_URL` is new enough and lets us create databases and roles. */
export async function useGivenServer(url: string): Promise<PostgresServer> {
  // the parser's own error would carry the password
  if (!URL.canParse(url) || new URL(url).hostname === '') {
    throw new Error(
      'DATABASE_URL is not a URL such as postgres://user:password@host:5432/postgres.',
    );
  }
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; may_create: boolean }>(
      `select current_setting('server_version_num') as version,
              rolsuper or (rolcreatedb and rolcreaterole) as may_create
         from pg_roles where rolname = current_user`,
    );
    const version = Number(rows[0]?.version);
    if (version < OLDEST) throw new Error(`it is older than PostgreSQL ${OLDEST / 10_000}`);
    if (rows[0]?.may_create !== true)
      throw new Error('its user may not create databases and roles');
    const port = Number(new URL(url).port || 5432);
    const major = Math.floor(version / 10_000);
    return {
      url,
      port,
      pid: undefined,
      major,
      source: 'DATABASE_URL',
      stop: async () => undefined,
    };
  } catch (error) {
    // the message of the cause never holds the password; the URL does, and stays out
    const reason = error instanceof Error ? error.message : 'unknown error';
    throw new Error(`The server of DATABASE_URL cannot be used: ${reason}.`, { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}
