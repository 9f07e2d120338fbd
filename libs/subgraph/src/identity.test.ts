import { generateKeyPairSync } from 'node:crypto';
import { Identity } from '@manifold/contracts';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  createSeen,
  readPrivateKey,
  readPublicKey,
  signIdentity,
  verifyIdentity,
} from './identity.ts';

const keys = generateKeyPairSync('ed25519');
const strangers = generateKeyPairSync('ed25519');
const id = (prefix: string) => `${prefix}_${'1'.repeat(32)}`;
const identity = Identity.parse({
  workspaceId: id('ws'),
  userId: id('us'),
  role: 'MEMBER',
  apiKeyId: id('ak'),
  entitlements: ['bulk_changes'],
});
const body = '{"query":"{ a }"}';
const signing = { privateKey: keys.privateKey, audience: 'contacts', body, correlationId: 'c-1' };
const checking = { publicKey: keys.publicKey, audience: 'contacts', body: Buffer.from(body) };
const refused = { kind: 'unauthenticated', detail: { reason: 'not_signed_in' } };

afterEach(() => {
  vi.useRealTimers();
});

test('who is asking arrives as it was signed', async () => {
  const token = await signIdentity(identity, signing);
  expect(await verifyIdentity(token, checking)).toEqual({ identity, correlationId: 'c-1' });
});

describe('refused is', () => {
  test('a request without a signature', async () => {
    await expect(verifyIdentity(undefined, checking)).rejects.toMatchObject(refused);
  });

  test.each([
    ['for another service', { audience: 'audit' }],
    ['for another body', { body: Buffer.from('{"query":"{ b }"}') }],
    ['with another key', { publicKey: strangers.publicKey }],
  ])('a signature %s', async (_, other) => {
    const token = await signIdentity(identity, signing);
    await expect(verifyIdentity(token, { ...checking, ...other })).rejects.toMatchObject(refused);
  });

  test.each([
    ['older than it may be', 60_000],
    ['from the future', -60_000],
  ])('a signature %s', async (_, laterMs) => {
    vi.useFakeTimers({ now: new Date('2026-03-01'), toFake: ['Date'] });
    const token = await signIdentity(identity, signing);
    vi.setSystemTime(Date.parse('2026-03-01') + laterMs);

    await expect(verifyIdentity(token, checking)).rejects.toMatchObject(refused);
  });

  test('a signature that was here before', async () => {
    const seen = createSeen();
    const [first, second] = [
      await signIdentity(identity, signing),
      await signIdentity(identity, signing),
    ];
    await verifyIdentity(first, { ...checking, seen });
    await verifyIdentity(second, { ...checking, seen });
    await expect(verifyIdentity(first, { ...checking, seen })).rejects.toMatchObject(refused);
  });

  test('a signature whose content was changed', async () => {
    const [head, , signature] = (await signIdentity(identity, signing)).split('.');
    const owner = { identity: { ...identity, role: 'OWNER' }, bh: 'x', cid: 'c-1' };
    const forged = Buffer.from(JSON.stringify(owner)).toString('base64url');

    const token = [head, forged, signature].join('.');
    await expect(verifyIdentity(token, checking)).rejects.toMatchObject(refused);
  });

  test('a token that names no algorithm', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part({ identity, bh: 'x', cid: 'c' })}.`;
    await expect(verifyIdentity(token, checking)).rejects.toMatchObject(refused);
  });
});

test('signatures are forgotten once they are no longer valid', () => {
  let now = 0;
  const seen = createSeen(() => now);
  expect([seen('a'), seen('a'), seen('b')]).toEqual([false, true, false]);
  now = 36_000;
  expect(seen('a')).toBe(true);
  now = 41_000;
  expect(seen('a')).toBe(false);
});

test('keys are read as PEM or as base64 of it', async () => {
  const privatePem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const publicPem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const base64 = (pem: string) => Buffer.from(pem).toString('base64');

  for (const [privateText, publicText] of [
    [privatePem, base64(publicPem)],
    [base64(privatePem), publicPem],
  ] as const) {
    const privateKey = readPrivateKey(privateText);
    const token = await signIdentity(identity, { ...signing, privateKey });
    const publicKey = readPublicKey(publicText);
    expect((await verifyIdentity(token, { ...checking, publicKey })).identity).toEqual(identity);
  }
});
