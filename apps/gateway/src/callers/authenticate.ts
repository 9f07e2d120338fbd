import { Authenticate, type Identity, WorkspaceId } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { ask } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { createHash } from 'node:crypto';
import { createCache } from './cache.ts';
import { createFlood } from './flood.ts';

const REMEMBERED = 10_000;
const REMEMBERED_REFUSALS = 1_000;
const KEEP_MS = 10_000;
const TRUST_MS = 600_000;
const KEEP_REFUSAL_MS = 1_000;
const ASK_TIMEOUT_MS = 3_000;

/** Whatever changes what a key may do; heard live, so a revoked key ends at once. */
const CHANGES = ['api_key_revoked', 'member_removed', 'member_role_changed', 'entitlement_changed'];

/** What a request says about its caller. */
export interface Credentials {
  authorization: string | undefined;
  /** The header `x-workspace`. */
  workspace: string | undefined;
  /** Where the request comes from. */
  address?: string | undefined;
}

type Answer = { identity: Identity } | { refusal: Refusal };

/**
 * Finds out who a request comes from; remembers it for ten seconds, or until it changes. Unknown keys
 * have little room of their own, and an address that sends many of them is turned away; a key that
 * was good within ten minutes is not.
 */
export function startAuthenticator({
  nats,
  clock = Date.now,
}: {
  nats: NatsConnection;
  clock?: () => number;
}) {
  const known = createCache<Answer>(REMEMBERED, clock);
  const asked = createCache<Answer>(REMEMBERED_REFUSALS, clock);
  const trusted = createCache<boolean>(REMEMBERED, clock);
  const flood = createFlood(clock);
  const listeners = createListeners();
  let changes = 0;
  const forget = (subject: string) => {
    changes += 1;
    known.clear();
    asked.clear();
    listeners.tell(subject);
  };
  const subscriptions = CHANGES.map((change) =>
    nats.subscribe(`workspaces.${change}.v1.*`, {
      callback: (_, { subject }) => forget(subject),
    }),
  );
  const askOnce = async (key: string, question: Question, address: string): Promise<Answer> => {
    if (!trusted.get(question.keyHash) && flood.isFlooding(address)) throw tooManyUnknown();
    const since = changes;
    const answer = askWho(nats, question);
    asked.set(key, answer, keepMs);
    const settled = await answer;
    const isUnknown = 'refusal' in settled && isOfUnknownKey(settled.refusal);
    if (isUnknown) flood.noteRefused(address);
    if (isUnknown || 'identity' in settled) {
      trusted.set(question.keyHash, Promise.resolve(true), () => (isUnknown ? 0 : TRUST_MS));
    }
    if ('identity' in settled && since === changes) known.set(key, answer, () => KEEP_MS);
    return settled;
  };
  const authenticate = async (credentials: Credentials): Promise<Identity> => {
    const question = questionOf(credentials);
    const key = `${question.keyHash}|${question.chosenWorkspaceId ?? ''}`;
    const answer = known.get(key) ?? asked.get(key);
    const settled = await (answer ?? askOnce(key, question, credentials.address ?? ''));
    if ('refusal' in settled) throw settled.refusal;
    return settled.identity;
  };
  const stop = () => subscriptions.forEach((subscription) => subscription.unsubscribe());
  return { authenticate, onChange: listeners.add, stop };
}

type Listener = (workspaceId: string) => void;

/** Those who want to know in which workspace it changed what keys may do. */
function createListeners() {
  const listeners = new Set<Listener>();
  return {
    /** Calls back until the returned function is called. */
    add: (listener: Listener): (() => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    /** The subject ends in the workspace. */
    tell: (subject: string): void => {
      const workspaceId = subject.slice(subject.lastIndexOf('.') + 1);
      for (const listener of listeners) listener(workspaceId);
    },
  };
}

/** A good key with a workspace it does not open is no unknown key. */
const isOfUnknownKey = ({ kind, detail }: Refusal): boolean =>
  kind === 'unauthenticated' && detail.reason !== 'workspace_not_chosen';

type Question = ReturnType<typeof questionOf>;

/** How long an answer is kept among those just asked for; known callers are kept elsewhere. */
function keepMs(answer: Answer): number {
  if ('identity' in answer) return 0;
  // a service that is away says nothing about the key
  return answer.refusal.kind === 'unavailable' ? 0 : KEEP_REFUSAL_MS;
}

async function askWho(nats: NatsConnection, question: Question): Promise<Answer> {
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

const tooManyUnknown = (): Refusal =>
  new Refusal('limited', 'Too many unknown API keys came from this address', {
    reason: 'burst_limited',
    fix: 'Wait ten seconds, and send a key that works.',
  });

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
