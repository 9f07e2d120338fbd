import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { ApiKeyId, type Role, UserId, WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { IDENTITY_HEADER, signIdentity } from '@manifold/subgraph';
import { type Logger, pino } from 'pino';
import type { Config } from '../src/config.ts';
import { startConnections } from '../src/start.ts';
import type { Db } from '../src/store.ts';
import { openVault } from '../src/vault/keyring.ts';
import type { Vault } from '../src/vault/seal.ts';

/** What an installation stands on; test files start these with `@manifold/testing`. */
export interface Ground {
  urls: { ownerUrl: string; appUrl: string };
  natsUrl: string;
  sandbox: { url: string; controlUrl: string; apiToken: string };
  log: Logger;
  now?: () => Date;
  env?: Partial<Config>;
}

export interface Caller {
  workspaceId: WorkspaceId;
  role?: Role;
  /** Absent: the one user of most tests. */
  userId?: UserId;
}

const COMPLETE = `mutation ($input: CompleteConnectionInput!) { completeConnection(input: $input) {
  connection { id kind status method company { name } } } }`;

const app = { clientId: 'test-app', clientSecret: 'canary-client-secret' };
const scopes = [
  'base',
  'contacts:full',
  'deals:full',
  'leads:full',
  'search:read',
  'users:read',
  'admin',
];

export const newWorkspace = (): WorkspaceId => newId('ws', WorkspaceId);

export type Installation = Awaited<ReturnType<typeof startInstallation>>;

/** The whole service in this process, its app registered at the sandbox, and a way to ask it as the gateway would. */
export async function startInstallation(ground: Ground) {
  const { sandbox } = ground;
  const port = ground.env?.PORT ?? (await findPort());
  const publicUrl = `http://127.0.0.1:${port}`;
  const redirectUrl = ground.env?.PIPEDRIVE_REDIRECT_URL ?? `${publicUrl}/oauth/callback`;
  const control = createControl(sandbox.controlUrl);
  await control('POST', '/apps', { ...app, name: 'Test', redirectUris: [redirectUrl], scopes });
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const env = envOf(ground, { port, publicUrl, redirectUrl, publicKey });
  await using resources = new AsyncDisposableStack();
  const onStop = (release: () => unknown) => resources.defer(async () => void (await release()));
  const { log, now } = ground;
  await startConnections({ env, log, onStop, ...(now === undefined ? {} : { now }) });

  const userId = newId('us', UserId);
  /** Asks the subgraph; a refusal is thrown as its first error, with `extensions`. */
  const graph = async (query: string, variables: object, caller: Caller) => {
    const body = JSON.stringify({ query, variables });
    const { workspaceId, role = 'OWNER', userId: callerId = userId } = caller;
    const apiKeyId = newId('ak', ApiKeyId);
    const identity = { workspaceId, userId: callerId, role, apiKeyId, entitlements: [] };
    const call = { privateKey, audience: 'connections', body, correlationId: 'test-correlation' };
    const response = await fetch(`${publicUrl}/graphql`, {
      method: 'POST',
      headers: { [IDENTITY_HEADER]: await signIdentity(identity, call) },
      body,
    });
    return JSON.parse(await response.text());
  };
  const consent = createConsent(sandbox.url);
  /** Consents as a user of Pipedrive and completes with the code on the page, as a person would. */
  const connect = async (
    authorizationUrl: string,
    caller: Caller,
    { userId: pipedriveUser }: { userId: number },
  ) => {
    const page = await visit(await consent(authorizationUrl, { userId: pipedriveUser }));
    return graph(COMPLETE, { input: { code: codeOn(page.text) } }, caller);
  };
  const held = resources.move();
  return {
    publicUrl,
    redirectUrl,
    userId,
    control,
    graph,
    consent,
    connect,
    complete: (code: string | undefined, caller: Caller, more: object = {}) =>
      graph(COMPLETE, { input: { code, ...more } }, caller),
    stop: () => held.disposeAsync(),
  };
}

function envOf(
  { urls, natsUrl, sandbox, env }: Ground,
  own: { port: number; publicUrl: string; redirectUrl: string; publicKey: KeyObject },
): Config {
  const { port, publicUrl, redirectUrl, publicKey } = own;
  return {
    DATABASE_URL: urls.appUrl,
    DATABASE_OWNER_URL: urls.ownerUrl,
    NATS_URL: natsUrl,
    HOST: '127.0.0.1',
    IDENTITY_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    MASTER_KEY: Buffer.alloc(32, 7),
    MASTER_KEYS: [],
    PUBLIC_URL: publicUrl,
    PIPEDRIVE_CLIENT_ID: app.clientId,
    PIPEDRIVE_CLIENT_SECRET: app.clientSecret,
    PIPEDRIVE_REDIRECT_URL: redirectUrl,
    PIPEDRIVE_SCOPES: [],
    PIPEDRIVE_APPS: [],
    TERMS_VERSION: undefined,
    TERMS_URL: undefined,
    PIPEDRIVE_OAUTH_URL: sandbox.url,
    PIPEDRIVE_API_DOMAINS: [sandbox.url],
    PIPEDRIVE_API_TOKEN_DOMAIN: sandbox.url,
    RETURN_URLS: ['https://shop.example/after'],
    API_PLAN: 'ultimate',
    API_SEATS: undefined,
    API_DAILY_TOKENS: undefined,
    SETTLE_MS: 500,
    INDEX_FRESH_MS: 5_000,
    SWEEP_EVERY_MS: 3_600_000,
    VERIFY_EVERY_MS: 86_400_000,
    WEBHOOK_GRACE_MS: 30_000,
    WEBHOOK_CHECK_MS: 1_800_000,
    ...env,
    PORT: port,
  };
}

/** Opens what an installation sealed with the key it has unless told otherwise. */
export async function openTestVault(db: Db): Promise<Vault> {
  const log = pino({ level: 'silent' });
  const { vault } = await openVault({ db, now: () => new Date(), log }, [Buffer.alloc(32, 7)]);
  return vault;
}

/** `POST /faults` and the like at the sandbox's own door. */
function createControl(controlUrl: string) {
  return async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${controlUrl}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return JSON.parse(await response.text());
  };
}

/** A person at Pipedrive's consent page; returns the address the browser is sent back to. */
function createConsent(pipedriveUrl: string) {
  return async (
    authorizationUrl: string,
    { userId, decision = 'allow' }: { userId: number; decision?: 'allow' | 'deny' },
  ): Promise<string> => {
    const form = new URL(authorizationUrl).searchParams;
    form.set('user_id', String(userId));
    form.set('decision', decision);
    const response = await fetch(`${pipedriveUrl}/oauth/authorize`, {
      method: 'POST',
      body: form,
      redirect: 'manual',
    });
    return response.headers.get('location') ?? '';
  };
}

/** An address as a browser asks for it, without following where it leads. */
export async function visit(address: string) {
  const response = await fetch(address, { redirect: 'manual' });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The code for `completeConnection` a page shows. */
export const codeOn = (page: string): string | undefined =>
  /<pre id="code">([\w-]+)<\/pre>/.exec(page)?.[1];

/** A port nothing listens on now. */
export async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
