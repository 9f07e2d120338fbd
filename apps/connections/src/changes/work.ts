import { setTimeout as sleep } from 'node:timers/promises';
import type { FieldDefinition, PipedriveObject } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Failure, PipedriveClient } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { PipedriveAccess } from '../accounts/calling/client.ts';
import { createGuardedClient } from '../accounts/calling/guarded-client.ts';
import type { BudgetPlan } from '../budget/rules.ts';
import { findFields } from '../fields/store.ts';
import type { Db, Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { countSpending } from '../writes/sending/held.ts';
import { featureOf } from './origin.ts';
import type { ChangeSet } from './store.ts';

export interface ChangeSetDeps {
  db: Db;
  vault: Vault;
  clientFor: PipedriveAccess['clientFor'];
  /** Limits to assume in a forecast. */
  plan: BudgetPlan;
  now: () => Date;
  log: Logger;
  /** How old the index may be for a plan; absent: 5 s. */
  indexFreshMs?: number;
  /** Tells the sender that there is something to send. */
  wakeSender: () => void;
}

/** A set in hand, with the means to read its records. */
export interface Work {
  deps: ChangeSetDeps;
  set: ChangeSet;
  client: PipedriveClient;
  takeSpent: () => number;
  /** Runs a transaction; what it took as spent is there for the next one when it fails. */
  keepSpent: <Result>(work: () => Promise<Result>) => Promise<Result>;
  fieldsOf: (object: PipedriveObject) => Promise<readonly FieldDefinition[]>;
}

/** What a stretch of work on a set ended with. */
export type Stretch =
  /** There is more to do, now or after a pause. */
  | { outcome: 'more'; afterMs: number }
  | { outcome: 'failed'; failure: Failure }
  /** Nothing is left to do, or somebody decided otherwise. */
  | { outcome: 'over' };

export async function takeUp(
  deps: ChangeSetDeps,
  set: ChangeSet,
  signal: AbortSignal,
): Promise<Work> {
  const feature = featureOf(set, set.state === 'planning' ? 'planning' : 'applying');
  const use = { lane: 'bulk' as const, feature, changeSetId: set.id };
  const client = await deps.clientFor(set.workspace_id, set.connection_id, use);
  const known = new Map<PipedriveObject, readonly FieldDefinition[]>();
  const fieldsOf = async (object: PipedriveObject) => {
    const fields =
      known.get(object) ??
      (await withWorkspace(deps.db, set.workspace_id, (tx) =>
        findFields(tx, set.connection_id, object),
      ));
    known.set(object, fields);
    return fields;
  };
  return { deps, set, fieldsOf, ...countSpending(patient(client, signal)) };
}

/** A transaction on a set in hand, in which what was spent on it may be entered. */
export function withWork<Result>(
  { deps, set, keepSpent }: Pick<Work, 'deps' | 'set'> & Partial<Pick<Work, 'keepSpent'>>,
  transact: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const run = () => withWorkspace(deps.db, set.workspace_id, transact);
  return keepSpent === undefined ? run() : keepSpent(run);
}

const LOOK_AGAIN_MS = 100;
const MOST_LOOKS = 100;

/** Waits for room in the windows of seconds; what waits for another day is handed back. */
const patient = (client: PipedriveClient, signal: AbortSignal): PipedriveClient =>
  createGuardedClient(async (_, run) => {
    for (let look = 1; ; look += 1) {
      const outcome = await run(client);
      const isBrief = outcome.outcome === 'limited' && outcome.kind !== 'daily';
      if (!isBrief || look >= MOST_LOOKS || signal.aborted) return outcome;
      const waitMs = Math.min(LOOK_AGAIN_MS, Math.max(10, outcome.retryAfterMs));
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  });
