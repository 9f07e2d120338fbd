import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createVault } from './seal.ts';

const vault = createVault(Buffer.alloc(32, 1));
const place = { table: 'connection', workspaceId: 'ws_a', id: 'cn_1', column: 'access_token' };

test('a sealed text opens where it was sealed, and is another one each time', () => {
  const sealed = vault.seal(place, 'Grüße 🌍');
  expect(vault.unseal(place, sealed)).toBe('Grüße 🌍');
  expect(sealed).toMatch(/^v1\.[0-9a-f]{8}(\.[\w-]+){3}$/);
  expect(vault.seal(place, 'Grüße 🌍')).not.toBe(sealed);
});

test.each([
  ['another workspace', { workspaceId: 'ws_b' }],
  ['another row', { id: 'cn_2' }],
  ['another column', { column: 'refresh_token' }],
  ['another table', { table: 'webhook_receipt' }],
])('a sealed text that was moved to %s does not open', (_, moved) => {
  const sealed = vault.seal(place, 'secret');
  expect(() => vault.unseal({ ...place, ...moved }, sealed)).toThrow(/does not open/);
});

test.each([
  ['with a changed ciphertext', 3],
  ['with a changed nonce', 2],
  ['with a changed tag', 4],
])('a sealed text %s does not open', (_, part) => {
  const parts = vault.seal(place, 'a secret text').split('.');
  const bytes = Buffer.from(parts[part] ?? '', 'base64url');
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  parts[part] = bytes.toString('base64url');
  expect(() => vault.unseal(place, parts.join('.'))).toThrow(/does not open/);
});

test('a shortened tag is refused before anything is decrypted', () => {
  const parts = vault.seal(place, 'secret').split('.');
  parts[4] = Buffer.from(parts[4] ?? '', 'base64url')
    .subarray(0, 4)
    .toString('base64url');
  expect(() => vault.unseal(place, parts.join('.'))).toThrow(
    expect.objectContaining({
      cause: new Error('A sealed text has a nonce or tag of the wrong length'),
    }),
  );
});

test('a text of another root key is refused with the key it needs, and may be tried again', () => {
  const sealed = vault.seal(place, 'secret');
  const other = createVault(randomBytes(32));
  const [, keyId] = sealed.split('.');
  expect(() => other.unseal(place, sealed)).toThrow(
    expect.objectContaining({
      kind: 'unavailable',
      message: expect.stringContaining(keyId ?? '-'),
    }),
  );
  expect(() => createVault(randomBytes(16))).toThrow(/32 bytes/);
});

test('keyed hashes are the same for one scope and value, and different for any other', () => {
  const hash = vault.keyedHash('ws_a', 'ada@example.com');
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(vault.keyedHash('ws_a', 'ada@example.com')).toBe(hash);
  expect(vault.keyedHash('ws_b', 'ada@example.com')).not.toBe(hash);
  expect(createVault(Buffer.alloc(32, 2)).keyedHash('ws_a', 'ada@example.com')).not.toBe(hash);
});
