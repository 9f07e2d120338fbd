import { acrossWorkspaces } from '@manifold/database';
import type { Logger } from 'pino';
import { listWebhookPathHashes } from '../../accounts/store.ts';
import type { Db } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';

/** A flood at made-up addresses makes them be read again this often, not more. */
const RELOAD_MS = 5_000;
const MOST_PATHS = 100_000;

export interface KnownPathsDeps {
  db: Db;
  vault: Pick<Vault, 'keyedHash'>;
  now: () => Date;
  log: Logger;
}

/** The addresses deliveries are expected at, for one replica, so that made-up ones ask the database nothing. */
export function createKnownPaths({ db, vault, now, log }: KnownPathsDeps) {
  let hashes: ReadonlySet<string> = new Set();
  let loadedAt: number | undefined;
  let loading: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    try {
      hashes = new Set(await acrossWorkspaces(db, (tx) => listWebhookPathHashes(tx, MOST_PATHS)));
    } catch (error) {
      log.warn({ err: error }, 'addresses of webhooks not read');
    }
    loadedAt = now().getTime();
    loading = undefined;
  };
  const isFresh = (): boolean =>
    loadedAt !== undefined && Math.abs(now().getTime() - loadedAt) < RELOAD_MS;

  /** The name of an address deliveries are expected at; undefined for any other. */
  const find = async (path: string): Promise<string | undefined> => {
    const hash = vault.keyedHash('webhook-path', path);
    if (!hashes.has(hash) && !isFresh()) await (loading ??= load());
    return hashes.has(hash) ? hash : undefined;
  };
  return { find };
}

export type KnownPaths = ReturnType<typeof createKnownPaths>;
