import { createHmac } from 'node:crypto';
import type { Dialect, Kysely } from 'kysely';

const PURPOSE = 'manifold: what an idempotency key was used with';
/** Key of a database → its adapter, the one thing a transaction shares with the database it is of. */
const keys = new WeakMap<object, Buffer>();

/**
 * Gives a database a key to mark inputs with, made from the password it is opened with: who reads the
 * table alone cannot try out e-mail addresses until one fits.
 */
export function withMarkKey(dialect: Dialect, url: string): Dialect {
  const { username, password } = new URL(url);
  const adapter = dialect.createAdapter();
  keys.set(adapter, createHmac('sha256', `${username}:${password}`).update(PURPOSE).digest());
  return {
    createAdapter: () => adapter,
    createDriver: () => dialect.createDriver(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  };
}

/** What is kept of an input: enough to tell another one from it, as long as the password is the same. */
export function markOf<Tables>(db: Kysely<Tables>, input: unknown): string {
  const key = keys.get(db.getExecutor().adapter);
  if (key === undefined) throw new Error('This database was not opened with connectDatabase');
  const hmac = (text: string) => createHmac('sha256', key).update(text).digest('hex');
  return `${hmac('name of this key').slice(0, 8)}.${hmac(JSON.stringify(input))}`;
}

/** Whether two marks are of different inputs; those made with different keys cannot tell. */
export function areOfDifferentInputs(one: string, other: string): boolean {
  return one !== other && one.split('.')[0] === other.split('.')[0];
}
