import { randomBytes } from 'node:crypto';
import { WorkspaceId, type WriteCommand, type WriteRequestId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import type { RecordObject } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { createPipedriveAccess } from '../src/accounts/calling/client.ts';
import { sealSecret } from '../src/accounts/tokens/credential.ts';
import { findConnection, insertConnection, setConnection } from '../src/accounts/store.ts';
import type { Connection } from '../src/accounts/tables.ts';
import { admitCall } from '../src/budget/admitting.ts';
import { recordCall } from '../src/budget/entering.ts';
import { type BudgetPlan, planOf } from '../src/budget/rules.ts';
import { setCatalogue } from '../src/fields/store.ts';
import type { Db, Tables } from '../src/store.ts';
import { createVault, type Vault } from '../src/vault/seal.ts';
import type { SendingDeps } from '../src/writes/sending/held.ts';
import { startWriteWorker } from '../src/writes/sending/worker.ts';
import { findRequest, listSteps, type Step } from '../src/writes/store.ts';
import { submitWrite } from '../src/writes/submitting.ts';
import { connectionRow } from './rows.ts';
import { commandOf } from './write-commands.ts';

export const SETTLE_MS = 400;
/** Nobody dies unless a test says so, and a lease that runs out on a busy machine costs another read. */
const LEASE_MS = 30_000;
/** A port nobody listens on; calls to it may be tried. */
export const NOWHERE = 'http://127.0.0.1:9';

export interface Pipedrive {
  url: string;
  controlUrl: string;
  apiToken: string;
}

interface WorldOptions {
  db: Db;
  pipedrive: Pipedrive;
  log: Logger;
  /** From `@manifold/testing`. */
  eventually: <Result>(
    assertion: () => Promise<Result>,
    options?: { timeoutMs?: number },
  ) => Promise<Result>;
  plan?: BudgetPlan;
  /** The clock of a Pipedrive that runs faster. */
  now?: () => Date;
  settleMs?: number;
  companyId?: string;
  /** Two worlds in one database share the worker's key. */
  vault?: Vault;
}

export type World = Awaited<ReturnType<typeof createWorld>>;

/** A workspace connected to a local Pipedrive by API token, and the means to write to it in tests. */
export async function createWorld(options: WorldOptions) {
  const { db, vault = createVault(randomBytes(32)) } = options;
  const connection = connectionOf(newId('ws', WorkspaceId), options);
  const { workspace_id: workspaceId, id: connectionId } = connection;
  const scoped = <Result>(work: Parameters<typeof withWorkspace<Tables, Result>>[2]) =>
    withWorkspace(db, workspaceId, work);
  const sealToken = (secret: string) =>
    sealSecret(vault, connection, { column: 'access_token', secret });
  const access_token = sealToken(options.pipedrive.apiToken);
  await scoped((tx) => insertConnection(tx, { ...connection, access_token }));
  const deps = depsOf(options, vault);
  const workers: ReturnType<typeof startWriteWorker>[] = [];
  const setConnectionTo = (change: Parameters<typeof setConnection>[2]) =>
    scoped((tx) => setConnection(tx, connectionId, change));
  return {
    workspaceId,
    connection,
    vault,
    deps,
    scoped,
    setConnectionTo,
    setToken: (secret: string) => setConnectionTo({ access_token: sealToken(secret) }),
    startWorker: (change: Partial<SendingDeps> & { leaseMs?: number } = {}) => {
      const worker = startWriteWorker({ ...deps, leaseMs: LEASE_MS, ...change });
      workers.push(worker);
      return worker;
    },
    submit: async (command: Partial<z.input<typeof WriteCommand>>) => {
      const given = commandOf({ workspaceId, connectionId }, command);
      const submitted = await submitWrite(deps, given, deps.now());
      for (const { wake } of workers) wake();
      return submitted;
    },
    findConnection: () => scoped((tx) => findConnection(tx, connectionId)),
    ...watch(options, scoped),
    readPersonFields: () => readFields(deps, connection, 'person'),
    readFields: (object: RecordObject) => readFields(deps, connection, object),
  };
}

function depsOf(options: WorldOptions, vault: Vault): SendingDeps {
  const { db, pipedrive, log, plan = generous, settleMs = SETTLE_MS } = options;
  const { now = () => new Date() } = options;
  const { clientFor } = createPipedriveAccess({
    db,
    vault,
    apps: [],
    allowedApiDomains: [pipedrive.url, NOWHERE],
    now,
    log,
    admit: (call) => admitCall(db, call, { now: now(), plan }),
    onCall: (call) => recordCall(db, call, { now: now(), plan }),
  });
  return { db, vault, clientFor, settleMs, now, log };
}

const generous = planOf({ plan: 'ultimate', seats: undefined, dailyTokens: undefined });

type Scoped = <Result>(
  work: Parameters<typeof withWorkspace<Tables, Result>>[2],
) => Promise<Result>;

/** Ways to wait for a request. Each throws what was not as expected when it lasts too long. */
function watch({ eventually }: Pick<WorldOptions, 'eventually'>, scoped: Scoped) {
  const stepsOf = (id: WriteRequestId): Promise<Step[]> => scoped((tx) => listSteps(tx, [id]));
  const stateOf = async (id: WriteRequestId) =>
    (await scoped((tx) => findRequest(tx, id)))?.state ?? 'absent';
  const waitFor = (id: WriteRequestId, isReached: (state: string, steps: Step[]) => boolean) =>
    eventually(
      async () => {
        const [state, steps] = [await stateOf(id), await stepsOf(id)];
        if (isReached(state, steps)) return steps;
        const seen = steps.map((step) => `${step.name} ${step.state} ${step.reason}`);
        throw new Error(`the request is ${state}: ${seen.join(', ')}`);
      },
      { timeoutMs: 10_000 },
    );
  return {
    stepsOf,
    /** Its steps once it has come to rest, parked only when that is expected. */
    settled: (id: WriteRequestId, expected?: 'parked') =>
      waitFor(id, (state) =>
        expected === undefined ? !['pending', 'parked'].includes(state) : state === expected,
      ),
    /** Its steps as soon as the first is in a state, for a reason. */
    reached: (id: WriteRequestId, state: Step['state'], reason?: string) =>
      waitFor(
        id,
        (_, [first]) => first?.state === state && (reason === undefined || first.reason === reason),
      ),
  };
}

async function readFields(
  { db, clientFor, now }: SendingDeps,
  connection: Connection,
  object: RecordObject,
) {
  const { workspace_id: workspaceId, id: connectionId } = connection;
  const client = await clientFor(workspaceId, connectionId, { lane: 'bulk', feature: 'fields' });
  const listed = await client.listFields(object);
  if (listed.outcome !== 'ok') throw new Error(`fields not read: ${listed.outcome}`);
  const catalogue = { workspaceId, connectionId, object, revision: 1 };
  await withWorkspace(db, workspaceId, (tx) =>
    setCatalogue(tx, { ...catalogue, fields: listed.data, readAt: now(), askedAt: now() }),
  );
}

const connectionOf = (
  workspaceId: WorkspaceId,
  { pipedrive, companyId = '1' }: Pick<WorldOptions, 'pipedrive' | 'companyId'>,
): Connection => {
  const at = new Date();
  return connectionRow(workspaceId, {
    method: 'API_TOKEN',
    company_id: companyId,
    company_name: 'Sandbox Inc',
    company_domain: 'sandbox',
    api_domain: pipedrive.url,
    pipedrive_user_id: '1',
    app_name: null,
    webhook_state: 'PENDING',
    webhook_id: null,
    established_at: at,
    upkeep_at: new Date(at.getTime() + 86_400_000),
    correlation_id: 'test',
    created_at: at,
    updated_at: at,
  });
};
