import { acrossWorkspaces } from '@manifold/database';
import type { Db } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { openSecret } from './credential.ts';
import { findAnyConnection } from './store.ts';

/** Refuses to go on with a master key that does not open what is stored: every token would seem lost. */
export async function requireRightKey({ db, vault }: { db: Db; vault: Vault }): Promise<void> {
  const connection = await acrossWorkspaces(db, findAnyConnection);
  if (connection === undefined) return;
  try {
    openSecret(vault, connection, 'webhook_path');
  } catch (cause) {
    throw new Error('MASTER_KEY is not the key that the stored tokens were sealed with', { cause });
  }
}
