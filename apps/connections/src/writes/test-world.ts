import { randomBytes } from 'node:crypto';
import {
  ConnectionId,
  type PipedriveObject,
  UserId,
  WorkspaceId,
  WriteCommand,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { z } from 'zod';
import { createPipedriveAccess } from '../accounts/client.ts';
import { sealSecret } from '../accounts/credential.ts';
import { findConnection, insertConnection, setConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import { admitCall, recordCall } from '../budget/commands.ts';
import { type BudgetPlan, planOf } from '../budget/rules.ts';
import { setCatalogue } from '../fields/store.ts';
import type { Tables } from '../store.ts';
import { createVault, type Vault } from '../vault/seal.ts';
import { listSteps } from './store.ts';
import { submitWrite } from './submitting.ts';
import type { SendingDeps } from './sending/held.ts';
import { startWriteWorker } from './sending/worker.ts';

export const SETTLE_MS = 400;
const LEASE_MS = 400;

interface Pipedrive {
  url: string;
  controlUrl: string;
  apiToken: string;
}

/** A workspace connected to a local Pipedrive by API token, and the means to write to it in tests. */
export async function createWorld(options: {
  db: Kysely<Tables>;
  pipedrive: Pipedrive;
  log: Logger;
  plan?: BudgetPlan;
  companyId?: string;
  /** Two worlds in one database share the worker's key. */
  vault?: Vault;
}) {
  const { db, pipedrive, log } = options;
  const plan =
    options.plan ?? planOf({ plan: 'ultimate', seats: undefined, dailyTokens: undefined });
  const now = () => new Date();
  const vault = options.vault ?? createVault(randomBytes(32));
  const workspaceId = newId('ws', WorkspaceId);
  const connection = connectionOf(workspaceId, { ...options, companyId: options.companyId ?? '1' });
  await withWorkspace(db, workspaceId, (tx) =>
    insertConnection(tx, {
      ...connection,
      access_token: sealSecret(vault, connection, {
        column: 'access_token',
        secret: pipedrive.apiToken,
      }),
    }),
  );
  const access = createPipedriveAccess({
    db,
    vault,
    oauth: undefined,
    allowedApiDomains: [pipedrive.url, 'http://127.0.0.1:9'],
    now,
    log,
    admit: (call) => admitCall(db, call, { now: now(), plan }),
    onCall: (call) => recordCall(db, call, now()),
  });
  const deps: SendingDeps = {
    db,
    vault,
    clientFor: access.clientFor,
    settleMs: SETTLE_MS,
    now,
    log,
  };
  const scoped = <Result>(work: Parameters<typeof withWorkspace<Tables, Result>>[2]) =>
    withWorkspace(db, workspaceId, work);

  return {
    workspaceId,
    connection,
    vault,
    deps,
    scoped,
    startWorker: (change: Partial<SendingDeps> = {}) =>
      startWriteWorker({ ...deps, leaseMs: LEASE_MS, ...change }),
    submit: (command: Partial<z.input<typeof WriteCommand>>) =>
      submitWrite(deps, commandOf({ workspaceId, connectionId: connection.id }, command), now()),
    stepsOf: async (requestId: Parameters<typeof listSteps>[1][number]) =>
      scoped((tx) => listSteps(tx, [requestId])),
    setStatus: (status: Connection['status']) =>
      scoped((tx) => setConnection(tx, connection.id, { status })),
    readCatalogue: async (object: 'person' | 'organization' | 'lead') => {
      const client = await access.clientFor(workspaceId, connection.id, SETUP);
      const listed = await client.listFields(object);
      if (listed.outcome !== 'ok') throw new Error(`fields not read: ${listed.outcome}`);
      await scoped((tx) =>
        setCatalogue(tx, {
          workspaceId,
          connectionId: connection.id,
          object,
          revision: 1,
          fields: listed.data,
          readAt: now(),
        }),
      );
    },
    findConnection: () => scoped((tx) => findConnection(tx, connection.id)),
  };
}

const SETUP = { lane: 'interactive', feature: 'fields' } as const;

const connectionOf = (
  workspaceId: WorkspaceId,
  { pipedrive, companyId }: { pipedrive: Pipedrive; companyId: string },
): Connection => {
  const at = new Date();
  return {
    workspace_id: workspaceId,
    id: newId('cn', ConnectionId),
    user_id: newId('us', UserId),
    kind: 'ORGANIZATION',
    method: 'API_TOKEN',
    status: 'ACTIVE',
    status_reason: null,
    company_id: companyId,
    company_name: 'Sandbox Inc',
    company_domain: 'sandbox',
    api_domain: pipedrive.url,
    pipedrive_user_id: '1',
    is_admin: true,
    scopes: [],
    access_token: null,
    refresh_token: null,
    expires_at: null,
    refresh_at: null,
    token_version: 1,
    webhook_state: 'PENDING',
    webhook_id: null,
    webhook_path: 'sealed',
    webhook_path_hash: randomBytes(16).toString('hex'),
    webhook_password: 'sealed',
    established_at: at,
    is_renewal: false,
    upkeep_at: new Date(at.getTime() + 86_400_000),
    correlation_id: 'test',
    created_at: at,
    updated_at: at,
  };
};

let count = 0;

/** A command; unless told otherwise a sign-up of one person with a lead. */
export function commandOf(
  of: { workspaceId: string; connectionId: string },
  command: Partial<z.input<typeof WriteCommand>> = {},
): WriteCommand {
  count += 1;
  const id = `ru_${String(count).padStart(32, '0')}`;
  return WriteCommand.parse({
    ...of,
    actor: { kind: 'service', id: 'referrals' },
    correlationId: `correlation-${count}`,
    idempotencyKey: `key-${count}`,
    cause: { service: 'referrals', type: 'ReferralUser', id },
    lane: 'interactive',
    steps: [personStep(`person${count}@example.test`), leadStep()],
    ...command,
  });
}

type StepInput = z.input<typeof WriteCommand>['steps'][number];

export const personStep = (email: string, change: Partial<StepInput> = {}): StepInput => ({
  name: 'person',
  operation: 'upsert',
  object: 'person',
  identity: [{ kind: 'email', value: email }],
  fields: { name: 'Ada Canary', emails: [{ value: email, label: 'work', primary: true }] },
  ...change,
});

export const leadStep = (change: Partial<StepInput> = {}): StepInput => ({
  name: 'lead',
  operation: 'create',
  object: 'lead',
  identity: [],
  fields: { title: 'Spring campaign' },
  references: { person_id: 'person' },
  guard: 'if_previous_applied',
  ...change,
});

export type World = Awaited<ReturnType<typeof createWorld>>;

const anyRecord = z.looseObject({ id: z.union([z.number(), z.string()]) });
const record = z.object({ data: anyRecord }).transform(({ data }) => data);
const records = z
  .object({ data: z.array(anyRecord).nullable() })
  .transform(({ data }) => data ?? []);
const requests = z.array(
  z.object({
    method: z.string(),
    path: z.string(),
    operationId: z.string().nullable(),
    price: z.number(),
    status: z.number().nullable(),
  }),
);
const ledger = z.object({
  tokens: z.number(),
  operations: z.array(
    z.object({ operation: z.string(), requests: z.number(), tokens: z.number() }),
  ),
});

/** Talks to the local Pipedrive as anybody could. */
export const createBystander = (pipedrive: Pipedrive) => {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${pipedrive.url}${path}`, {
      method,
      headers: { 'x-api-token': pipedrive.apiToken, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
    return response.json();
  };
  const paths: Partial<Record<PipedriveObject, string>> = {
    person: '/api/v2/persons',
    organization: '/api/v2/organizations',
    lead: '/api/v1/leads',
  };
  return {
    call,
    list: async (object: 'person' | 'organization' | 'lead') =>
      records.parse(await call('GET', `${paths[object]}?limit=500`)),
    create: async (object: 'person' | 'organization', body: unknown) =>
      record.parse(await call('POST', paths[object] ?? '', body)),
    fault: (kind: string, match: { method?: string; path?: string }, times = 1) =>
      fetch(`${pipedrive.controlUrl}/faults`, {
        method: 'POST',
        body: JSON.stringify({ kind, match, times }),
      }),
    requests: async () => requests.parse(await call('GET', '/control/requests?limit=5000')),
    ledger: async () => ledger.parse(await call('GET', '/control/ledger')),
    reset: async () => {
      await fetch(`${pipedrive.controlUrl}/faults`, { method: 'DELETE' });
      await call('POST', '/control/reset', {});
    },
  };
};
