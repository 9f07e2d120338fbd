import type { ChangeSetId, WriteCommand } from '@manifold/contracts';
import type { z } from 'zod';
import {
  approveChangeSet,
  cancelChangeSet,
  closeChangeSet,
  pauseChangeSet,
  startApplying,
} from '../src/changes/deciding/commands.ts';
import { type Opening, openChangeSet } from '../src/changes/opening/opening.ts';
import { type ChangeFilter, listChanges } from '../src/changes/rows/shown/store.ts';
import { tallyChanges } from '../src/changes/rows/store.ts';
import { findChangeSet } from '../src/changes/store.ts';
import type { ChangeSetState } from '../src/changes/tables.ts';
import { sumUp } from '../src/changes/costs/totals.ts';
import { undoChangeSet } from '../src/changes/undoing/undoing.ts';
import { startChangeSetWorker } from '../src/changes/worker.ts';
import { planOf } from '../src/budget/rules.ts';
import { storeWrite } from '../src/writes/submitting.ts';
import { askerOf, commandOf } from './write-commands.ts';
import type { World } from './writing.ts';

type Row = z.input<typeof WriteCommand>['steps'];
type Eventually = <Result>(
  assertion: () => Promise<Result>,
  options?: { timeoutMs?: number },
) => Promise<Result>;
type WorkerOptions = Parameters<typeof startChangeSetWorker>[0];

const plan = planOf({ plan: 'ultimate', seats: undefined, dailyTokens: undefined });
const ROWS_AT_ONCE = 200;

/** Ways to make, decide and watch change sets in a world. */
export function createChanging(world: World, eventually: Eventually) {
  const looking = createLooking(world, eventually);
  const deciding = createDeciding(world, looking);
  const planRows = createPlanning(world);
  const workers: ReturnType<typeof startChangeSetWorker>[] = [];
  return {
    ...looking,
    ...deciding,
    startWorker: (change: Partial<WorkerOptions> = {}) => {
      const usual = { plan, wakeSender: () => undefined, leaseMs: 30_000 };
      const worker = startChangeSetWorker({ ...world.deps, ...usual, ...change });
      workers.push(worker);
      return worker;
    },
    plan: planRows,
    planned: async (rows: Row[], more: Partial<Opening> = {}) => {
      const id = await planRows(rows, more);
      for (const { wake } of workers) wake();
      await looking.reached(id, 'awaiting_approval', 60_000);
      return id;
    },
    applied: async (id: ChangeSetId) => {
      await deciding.approve(id);
      for (const { wake } of workers) wake();
      return looking.reached(id, 'done', 240_000);
    },
  };
}

/** A closed set with one request per row. */
function createPlanning({ workspaceId, connection, scoped, vault, deps }: World) {
  const asker = askerOf(workspaceId);
  const connectionId = connection.id;
  return async (rows: Row[], more: Partial<Opening> = {}): Promise<ChangeSetId> => {
    const opening = {
      connectionId,
      title: 'A job',
      cause: { service: 'enrichment', type: 'EnrichmentRun', id: 'run' },
      guardRails: undefined,
      idempotencyKey: undefined,
      ...more,
    };
    const { id } = await scoped((tx) => openChangeSet(tx, { opening, asker }, deps.now()));
    for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
      await scoped(async (tx) => {
        for (const steps of rows.slice(start, start + ROWS_AT_ONCE)) {
          const command = commandOf({ workspaceId, connectionId }, { steps, changeSetId: id });
          await storeWrite({ tx, vault }, command, { now: deps.now() });
        }
      });
    }
    await scoped((tx) => closeChangeSet(tx, id, deps.now()));
    return id;
  };
}

function createLooking({ scoped }: World, eventually: Eventually) {
  const find = async (id: ChangeSetId) => {
    const set = await scoped((tx) => findChangeSet(tx, id));
    if (set === undefined) throw new Error(`there is no change set ${id}`);
    return set;
  };
  const totals = async (id: ChangeSetId) => sumUp(await scoped((tx) => tallyChanges(tx, [id])));
  return {
    find,
    totals,
    changes: (id: ChangeSetId, filter: ChangeFilter = {}) =>
      scoped((tx) =>
        listChanges(
          tx,
          { setId: id, filter },
          { limit: 1_000, backwards: false, cursor: undefined },
        ),
      ),
    /** The set as soon as it is in a state. */
    reached: async (id: ChangeSetId, state: ChangeSetState, timeoutMs = 30_000) => {
      let set = await find(id);
      const look = async () => {
        set = await find(id);
        if (set.state !== state) throw new Error(`it is ${set.state}`);
        return set;
      };
      return eventually(look, { timeoutMs }).catch(async (cause: unknown) => {
        const { states, reasons } = await totals(id);
        const seen = JSON.stringify({ states, reasons });
        throw new Error(`it is ${set.state} ${set.reason} ${set.waiting_reason}: ${seen}`, {
          cause,
        });
      });
    },
  };
}

function createDeciding(
  { workspaceId, scoped, deps }: World,
  { find }: ReturnType<typeof createLooking>,
) {
  const asker = askerOf(workspaceId);
  const approveHash = (id: ChangeSetId, hash: string, first?: number) =>
    scoped((tx) => approveChangeSet(tx, { id, hash, first, starts: true, asker }, deps.now()));
  return {
    approveHash,
    approve: async (id: ChangeSetId, first?: number) =>
      approveHash(id, (await find(id)).hash ?? '', first),
    pause: (id: ChangeSetId) => scoped((tx) => pauseChangeSet(tx, id, deps.now())),
    resume: (id: ChangeSetId) =>
      scoped((tx) => startApplying(tx, { id, decision: 'resume' }, deps.now())),
    cancel: (id: ChangeSetId) => scoped((tx) => cancelChangeSet(tx, id, deps.now())),
    undo: (id: ChangeSetId) =>
      scoped((tx) => undoChangeSet(tx, { id, idempotencyKey: undefined, asker }, deps.now())),
  };
}
