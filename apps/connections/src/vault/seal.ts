import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

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

/** Encryption at rest, one key per workspace, all derived from the master key. */
export interface Vault {
  /** `v1.<keyId>.<nonce>.<ciphertext>.<tag>`, each part base64url. */
  seal(place: Place, plain: string): string;
  /** Throws when the text was changed, moved to another row, or sealed with another master key. */
  unseal(place: Place, sealed: string): string;
  /** HMAC-SHA256 in hex, for values that are looked up but must not be stored; `scope` separates uses. */
  keyedHash(scope: string, value: string): string;
}

/** A vault for a master key of 32 bytes. */
export function createVault(masterKey: Buffer): Vault {
  if (masterKey.length !== 32) throw new RangeError('the master key has 32 bytes');
  const keyId = derive(masterKey, 'key-id').toString('hex').slice(0, 8);
  const sealingKey = (workspaceId: string) => derive(masterKey, `seal|${workspaceId}`);
  return {
    seal(place, plain) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealingKey(place.workspaceId), nonce, {
        authTagLength: TAG_BYTES,
      });
      cipher.setAAD(referenceOf(place));
      const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      const parts = [nonce, sealed, cipher.getAuthTag()].map((part) => part.toString('base64url'));
      return [FORM, keyId, ...parts].join('.');
    },
    unseal(place, text) {
      const { nonce, sealed, tag } = readSealed(text, keyId);
      const decipher = createDecipheriv('aes-256-gcm', sealingKey(place.workspaceId), nonce, {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(referenceOf(place));
      decipher.setAuthTag(tag);
      try {
        return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new Error(`A sealed ${place.table}.${place.column} does not open`, { cause });
      }
    },
    keyedHash: (scope, value) =>
      createHmac('sha256', derive(masterKey, `hash|${scope}`))
        .update(value)
        .digest('hex'),
  };
}

const derive = (masterKey: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', masterKey, 'manifold', purpose, 32));

const referenceOf = ({ table, workspaceId, id, column }: Place): Buffer =>
  Buffer.from(`${table}|${workspaceId}|${id}|${column}`);

function readSealed(text: string, keyId: string) {
  const [form, sealedWith, ...parts] = text.split('.');
  const [nonce, sealed, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
  if (form !== FORM || parts.length !== 3 || !nonce || !sealed || !tag) {
    throw new Error('A sealed text is not in a form this version knows');
  }
  if (sealedWith !== keyId) throw new Error(`Sealed with master key ${sealedWith}, not ${keyId}`);
  // a shortened tag would be easier to forge
  if (nonce.length !== NONCE_BYTES || tag.length !== TAG_BYTES) {
    throw new Error('A sealed text has a nonce or tag of the wrong length');
  }
  return { nonce, sealed, tag };
}
