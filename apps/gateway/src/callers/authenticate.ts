import { Authenticate, type Identity, WorkspaceId } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { ask } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { createHash } from 'node:crypto';
import { createCache } from './cache.ts';

const REMEMBERED = 10_000;
const KEEP_MS = 10_000;
const KEEP_REFUSAL_MS = 1_000;
const ASK_TIMEOUT_MS = 3_000;

/** Whatever changes what a key may do; heard live, so a revoked key ends at once. */
const CHANGES = ['api_key_revoked', 'member_removed', 'member_role_changed', 'entitlement_changed'];

/** What a request says about its caller. */
export interface Credentials {
  authorization: string | undefined;
  /** The header `x-workspace`. */
  workspace: string | undefined;
}

type Answer = { identity: Identity } | { refusal: Refusal };

/** Finds out who a request comes from; remembers it for ten seconds, or until it changes. */
export function startAuthenticator({
  nats,
  clock = Date.now,
}: {
  nats: NatsConnection;
  clock?: () => number;
}) {
  const cache = createCache<Answer>(REMEMBERED, clock);
  const subscriptions = CHANGES.map((change) =>
    nats.subscribe(`workspaces.${change}.v1.*`, { callback: () => cache.clear() }),
  );
  const authenticate = async (credentials: Credentials): Promise<Identity> => {
    const question = questionOf(credentials);
    const key = `${question.keyHash}|${question.chosenWorkspaceId ?? ''}`;
    let answer = cache.get(key);
    if (!answer) {
      answer = askWho(nats, question);
      cache.set(key, answer, keepMs);
    }
    const settled = await answer;
    if ('refusal' in settled) throw settled.refusal;
    return settled.identity;
  };
  const stop = () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
  return { authenticate, stop };
}

function keepMs(answer: Answer): number {
  if ('identity' in answer) return KEEP_MS;
  // a service that is away says nothing about the key
  return answer.refusal.kind === 'unavailable' ? 0 : KEEP_REFUSAL_MS;
}

async function askWho(
  nats: NatsConnection,
  question: ReturnType<typeof questionOf>,
): Promise<Answer> {
  try {
    return { identity: await ask(nats, Authenticate, question, { timeoutMs: ASK_TIMEOUT_MS }) };
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error };
    throw error;
  }
}

function questionOf({ authorization, workspace }: Credentials) {
  const sent = /^Bearer +(\S.*)$/i.exec(authorization?.trim() ?? '')?.[1];
  if (sent === undefined) throw noKey();
  const [key] = /^[\x21-\x7e]{20,256}$/.exec(sent) ?? [];
  if (key === undefined) throw unknownKey();
  const keyHash = createHash('sha256').update(key).digest('hex');
  if (workspace === undefined) return { keyHash };
  const chosen = WorkspaceId.safeParse(workspace);
  if (!chosen.success) throw noSuchWorkspace();
  return { keyHash, chosenWorkspaceId: chosen.data };
}

const noKey = (): Refusal =>
  new Refusal('unauthenticated', 'The request carries no API key', {
    reason: 'not_signed_in',
    fix: 'Send a valid API key as `Authorization: Bearer <key>`.',
  });

/** In the words the workspaces service uses for a key it does not know. */
const unknownKey = (): Refusal =>
  new Refusal('unauthenticated', 'This API key is not known or was revoked', {
    reason: 'not_signed_in',
    fix: 'Send a valid API key as `Authorization: Bearer <key>`; an owner of the workspace can make one.',
  });

/** In the words the workspaces service uses for a workspace the key does not open. */
const noSuchWorkspace = (): Refusal =>
  new Refusal('unauthenticated', 'This key does not open the chosen workspace', {
    reason: 'workspace_not_chosen',
    fix: 'Leave the header x-workspace out, or send the id of one of viewer.workspaces.',
  });
