import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Refusal } from '@manifold/errors';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORM = 'v1';

/** Where a sealed text is kept. It opens there and nowhere else. */
export interface Place {
  table: string;
  workspaceId: string;
  id: string;
  column: string;
}

/** What belongs to no workspace is sealed under this name: grants that several may share. */
export const INSTALLATION = 'installation';

/** Encryption at rest, one key per workspace. */
export interface Vault {
  /** `v1.<keyId>.<nonce>.<ciphertext>.<tag>`, the last three in base64url. */
  seal(place: Place, plain: string): string;
  /** Throws when the text was changed, moved to another row, or sealed with a key this process lacks. */
  unseal(place: Place, sealed: string): string;
  /**
   * HMAC-SHA256 in hex, for values that are looked up but must not be stored; `scope` separates uses
   * and names the workspace where there is one. The same for ever, whichever keys are changed.
   */
  keyedHash(scope: string, value: string): string;
}

/** A key that seals, and its name in the texts it sealed. */
export interface DataKey {
  id: string;
  key: Buffer;
}

/** The data keys made since the first ones; it may learn of more while it is used. */
export interface KnownKeys {
  /** The key a workspace seals with now; undefined while that is still its first. */
  current: (workspaceId: string) => DataKey | undefined;
  find: (keyId: string) => Buffer | undefined;
}

const none: KnownKeys = { current: () => undefined, find: () => undefined };

/** A vault for a root key of 32 bytes, which every workspace's first data key is derived from. */
export function createVault(rootKey: Buffer, known: KnownKeys = none): Vault {
  if (rootKey.length !== 32) throw new RangeError('the root key has 32 bytes');
  const rootId = idOfRoot(rootKey);
  const derived = rememberDerived(rootKey);
  const firstKey = (workspaceId: string) => derived(`seal|${workspaceId}`);
  return {
    seal(place, plain) {
      const { id, key } = known.current(place.workspaceId) ?? {
        id: rootId,
        key: firstKey(place.workspaceId),
      };
      return [FORM, id, ...encrypt(key, referenceOf(place), Buffer.from(plain, 'utf8'))].join('.');
    },
    unseal(place, text) {
      const { keyId, parts } = readSealed(text);
      const key = keyId === rootId ? firstKey(place.workspaceId) : known.find(keyId);
      if (key === undefined) throw lackingKey(keyId);
      try {
        return decrypt(key, referenceOf(place), parts).toString('utf8');
      } catch (cause) {
        throw new Error(`A sealed ${place.table}.${place.column} does not open`, { cause });
      }
    },
    keyedHash: (scope, value) =>
      createHmac('sha256', derived(`hash|${scope}`))
        .update(value)
        .digest('hex'),
  };
}

/** The name of a root key in the texts sealed with keys derived from it. */
export const idOfRoot = (rootKey: Buffer): string =>
  derive(rootKey, 'key-id').toString('hex').slice(0, 8);

/** Which key a text was sealed with; undefined when it is not a sealed text. */
export const keyIdOf = (sealed: string): string | undefined =>
  new RegExp(`^${FORM}\\.([0-9a-f]{8})\\.`).exec(sealed)?.[1];

const derive = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, 'manifold', purpose, 32));

const REMEMBERED = 1_000;

/** Deriving takes longer than what is then done with the key; the root it comes from is at hand anyway. */
function rememberDerived(rootKey: Buffer): (purpose: string) => Buffer {
  const keys = new Map<string, Buffer>();
  return (purpose) => {
    const known = keys.get(purpose);
    if (known !== undefined) return known;
    if (keys.size >= REMEMBERED) keys.clear();
    const key = derive(rootKey, purpose);
    keys.set(purpose, key);
    return key;
  };
}

const referenceOf = ({ table, workspaceId, id, column }: Place): Buffer =>
  Buffer.from(`${table}|${workspaceId}|${id}|${column}`);

type Parts = readonly [nonce: string, sealed: string, tag: string];

/** AES-256-GCM: nonce, ciphertext and tag in base64url, bound to `reference`. */
export function encrypt(key: Buffer, reference: Buffer, plain: Buffer): Parts {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(reference);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  const text = (part: Buffer) => part.toString('base64url');
  return [text(nonce), text(sealed), text(cipher.getAuthTag())];
}

/** The opposite of `encrypt`; throws when anything about it was changed. */
export function decrypt(key: Buffer, reference: Buffer, parts: Parts): Buffer {
  const [nonce, sealed, tag] = [bytes(parts[0]), bytes(parts[1]), bytes(parts[2])];
  // a shortened tag would be easier to forge
  if (nonce.length !== NONCE_BYTES || tag.length !== TAG_BYTES) {
    throw new Error('A sealed text has a nonce or tag of the wrong length');
  }
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(reference);
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(sealed), decipher.final()]);
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');

/** Worth another try: a key made a moment ago may not have reached this replica yet. */
const lackingKey = (keyId: string): Refusal =>
  new Refusal(
    'unavailable',
    `What is stored was sealed with the data key ${keyId}, not known here`,
    {
      reason: 'service_unavailable',
      fix: 'Try again in a moment. If it stays so, the service lacks one of its MASTER_KEYS.',
    },
  );

function readSealed(text: string): { keyId: string; parts: Parts } {
  const keyId = keyIdOf(text);
  const [, , nonce, sealed, tag, ...more] = text.split('.');
  const isWhole = nonce !== undefined && sealed !== undefined && tag !== undefined;
  if (keyId === undefined || !isWhole || more.length > 0) {
    throw new Error('A sealed text is not in a form this version knows');
  }
  return { keyId, parts: [nonce, sealed, tag] };
}
