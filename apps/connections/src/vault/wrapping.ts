import { createHash } from 'node:crypto';
import { decrypt, encrypt } from './seal.ts';

/** A key of the operator, from the environment: it encrypts data keys and nothing else. */
export interface MasterKey {
  /** Short, safe to show: it says which key is meant. */
  id: string;
  key: Buffer;
}

export const masterKeyOf = (key: Buffer): MasterKey => ({
  id: createHash('sha256').update('manifold master key ').update(key).digest('hex').slice(0, 8),
  key,
});

interface Named {
  workspace_id: string;
  id: string;
  purpose: string;
}

const referenceOf = ({ workspace_id, id, purpose }: Named): Buffer =>
  Buffer.from(`data_key|${workspace_id}|${id}|${purpose}`);

/** Encrypts a data key for its row. */
export const wrapKey = (master: MasterKey, named: Named, key: Buffer): string =>
  encrypt(master.key, referenceOf(named), key).join('.');

/** Throws when another master key wrapped it, or it belongs to another row. */
export function unwrapKey(master: MasterKey, named: Named, wrapped: string): Buffer {
  const [nonce = '', sealed = '', tag = ''] = wrapped.split('.');
  return decrypt(master.key, referenceOf(named), [nonce, sealed, tag]);
}
