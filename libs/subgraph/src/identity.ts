import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { Identity } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';

const LIFETIME_SECONDS = 30;
const ISSUER = 'manifold-gateway';
const TOLERANCE_SECONDS = 5;
const MOST_SEEN = 200_000;

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
 * worth nothing for another service, another body, or later; with `createSeen` not even a second time.
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
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${LIFETIME_SECONDS}s`)
    .sign(options.privateKey);
}

const Claims = z.object({
  identity: Identity,
  bh: z.string(),
  cid: z.string().min(1).max(64),
  jti: z.string().min(1).max(64),
});

/** Whether a signature was here before; remembers each for as long as it is valid, within one process. */
export type Seen = (signatureId: string) => boolean;

export function createSeen(clock: () => number = Date.now): Seen {
  const seen = new Map<string, number>();
  return (signatureId) => {
    const now = clock();
    // in the order they came, so the oldest are first
    for (const [id, until] of seen) {
      if (until > now && seen.size < MOST_SEEN) break;
      seen.delete(id);
    }
    if (seen.has(signatureId)) return true;
    seen.set(signatureId, now + (LIFETIME_SECONDS + 2 * TOLERANCE_SECONDS) * 1000);
    return false;
  };
}

/** Verifies the identity of a request; anything else than a fresh signature for this body is refused. */
export async function verifyIdentity(
  token: string | undefined,
  options: { publicKey: KeyObject; audience: string; body: Buffer; seen?: Seen },
): Promise<{ identity: Identity; correlationId: string }> {
  if (token === undefined) throw notSignedIn();
  const verified = await jwtVerify(token, options.publicKey, {
    issuer: ISSUER,
    audience: options.audience,
    algorithms: ['EdDSA'],
    maxTokenAge: `${LIFETIME_SECONDS}s`,
    clockTolerance: TOLERANCE_SECONDS,
  }).catch((error: unknown) => {
    throw notSignedIn(error);
  });
  const claims = Claims.safeParse(verified.payload);
  if (!claims.success || claims.data.bh !== bodyHash(options.body)) throw notSignedIn();
  if (options.seen?.(claims.data.jti) === true) throw notSignedIn();
  return { identity: claims.data.identity, correlationId: claims.data.cid };
}

const notSignedIn = (cause?: unknown): Refusal =>
  new Refusal(
    'unauthenticated',
    'The request does not carry a valid identity',
    { reason: 'not_signed_in', fix: 'Send requests to the gateway, with an API key.' },
    { cause },
  );
