import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { Identity } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';

const LIFETIME_SECONDS = 30;
const ISSUER = 'manifold-gateway';

/** Header that carries the signed identity from the gateway to a service. */
export const IDENTITY_HEADER = 'x-manifold-identity';
/** Header that carries the correlation id. */
export const CORRELATION_HEADER = 'x-correlation-id';

/** Reads an Ed25519 private key from PEM or from base64 of PEM. */
export const readPrivateKey = (text: string): KeyObject => createPrivateKey(pemOf(text));
/** Reads an Ed25519 public key from PEM or from base64 of PEM. */
export const readPublicKey = (text: string): KeyObject => createPublicKey(pemOf(text));

const pemOf = (text: string): string =>
  text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64').toString('utf8');

const bodyHash = (body: string | Buffer): string =>
  createHash('sha256').update(body).digest('base64url');

/**
 * Signs who is asking, for one service and one request body, for 30 seconds. A stolen header is
 * worth nothing for another service, another body, or later.
 */
export async function signIdentity(
  identity: Identity,
  options: { privateKey: KeyObject; audience: string; body: string; correlationId: string },
): Promise<string> {
  return new SignJWT({
    identity,
    bh: bodyHash(options.body),
    cid: options.correlationId,
  })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuer(ISSUER)
    .setAudience(options.audience)
    .setIssuedAt()
    .setExpirationTime(`${LIFETIME_SECONDS}s`)
    .sign(options.privateKey);
}

const Claims = z.object({ identity: Identity, bh: z.string(), cid: z.string().min(1).max(64) });

/** Verifies the identity of a request; anything else than a fresh signature for this body is refused. */
export async function verifyIdentity(
  token: string | undefined,
  options: { publicKey: KeyObject; audience: string; body: Buffer },
): Promise<{ identity: Identity; correlationId: string }> {
  if (token === undefined) throw notSignedIn();
  const verified = await jwtVerify(token, options.publicKey, {
    issuer: ISSUER,
    audience: options.audience,
    algorithms: ['EdDSA'],
    maxTokenAge: `${LIFETIME_SECONDS}s`,
    clockTolerance: 5,
  }).catch((error: unknown) => {
    throw notSignedIn(error);
  });
  const claims = Claims.safeParse(verified.payload);
  if (!claims.success || claims.data.bh !== bodyHash(options.body)) throw notSignedIn();
  return { identity: claims.data.identity, correlationId: claims.data.cid };
}

const notSignedIn = (cause?: unknown): Refusal =>
  new Refusal(
    'unauthenticated',
    'The request does not carry a valid identity',
    { reason: 'not_signed_in', fix: 'Send requests to the gateway, with an API key.' },
    { cause },
  );
