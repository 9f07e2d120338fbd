import { type DataSourceId, type SyncRunId, UserId, WorkspaceId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import type { Origin } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Db, DataSource, SyncRun, Tx } from '../src/store.ts';
import { createMappings } from '../src/mappings/commands.ts';
import { startNeighbours } from './neighbours.ts';
import { startSyncWorker } from '../src/pages/worker.ts';
import { organizationOf, personOf } from './records.ts';
import { startSync } from '../src/runs/commands.ts';
import { findRun } from '../src/runs/store.ts';
import { createDataSource } from '../src/sources/commands.ts';

interface Means {
  db: Db;
  nats: NatsConnection;
  log: Logger;
  eventually: <Result>(
    assertion: () => Promise<Result>,
    options?: { timeoutMs?: number },
  ) => Promise<Result>;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** A workspace of one test, its neighbours, and what a test of runs does with them. */
export function openDesk(means: Means) {
  const { db, nats, log } = means;
  const workspaceId = newId('ws', WorkspaceId);
  const actor = { kind: 'user' as const, id: newId('us', UserId) };
  const origin: Origin = { workspaceId, actor, correlationId: 'test' };
  const deps = { db, nats, now: () => new Date() };
  const neighbours = startNeighbours(nats, log);
  const stops: (() => Promise<void>)[] = [() => neighbours.stop()];
  const runs = runsOf(means, { origin, stops });
  return {
    ...{ workspaceId, origin, deps, neighbours, ...runs },
    within: <Result>(work: (tx: Tx) => Promise<Result>) => withWorkspace(db, workspaceId, work),
    /** So many records; persons belong to the organizations in turn. */
    fill: ({ organizations, persons }: { organizations: number; persons: number }): void => {
      neighbours.records.organization = range(organizations).map((id) => organizationOf(id));
      neighbours.records.person = range(persons).map((id) =>
        personOf(id, { organization: organizations === 0 ? null : 1 + ((id - 1) % organizations) }),
      );
    },
    openSource: (): Promise<DataSource> => {
      const { connectionId, mappingId } = neighbours;
      return createDataSource(deps, { origin, input: { name: 'Sales', connectionId, mappingId } });
    },
    /** Holds every page from this one on; returns how to let them go. */
    blockPages: (from: number): (() => void) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      neighbours.beforePage = async (page) => (page >= from ? promise : undefined);
      return () => resolve(undefined);
    },
    close: async (): Promise<void> => {
      for (const stop of stops.toReversed()) await stop();
    },
  };
}

export type Desk = ReturnType<typeof openDesk>;

function runsOf(
  { db, nats, log, eventually }: Means,
  { origin, stops }: { origin: Origin; stops: (() => Promise<void>)[] },
) {
  const { workspaceId } = origin;
  const deps = { db, nats, now: () => new Date() };
  const startWorker = (options: { pageSize?: number; now?: () => Date } = {}) => {
    const mappings = createMappings();
    const stop = startSyncWorker({ ...deps, mappings, log, pageSize: 10, ...options });
    stops.push(stop);
    return stop;
  };
  const theRun = async (id: SyncRunId): Promise<SyncRun> => {
    const run = await withWorkspace(db, workspaceId, (tx) => findRun(tx, workspaceId, id));
    if (!run) throw new Error('no such run');
    return run;
  };
  const endedOnce = async (id: SyncRunId): Promise<SyncRun> => {
    const run = await theRun(id);
    if (run.ended_at === null) throw new Error(`The run is ${run.state} ${run.reason}`);
    return run;
  };
  const ended = (id: SyncRunId, timeoutMs = 12_000) =>
    eventually(() => endedOnce(id), { timeoutMs });
  const start = (dataSourceId: DataSourceId) => startSync(deps, { origin, dataSourceId });
  return {
    ...{ startWorker, theRun, ended, start },
    /** One run from its start to its end. */
    sync: async (dataSourceId: DataSourceId): Promise<SyncRun> => {
      const stopWorker = startWorker();
      const run = await ended((await start(dataSourceId)).id);
      await stopWorker();
      return run;
    },
  };
}
