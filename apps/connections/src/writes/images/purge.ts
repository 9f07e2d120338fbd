import { setTimeout as sleep } from 'node:timers/promises';
import { acrossWorkspaces } from '@manifold/database';
import type { Logger } from 'pino';
import type { Db } from '../../store.ts';
import { removeOldImages } from './store.ts';

const EVERY_MS = 3_600_000;
const BATCH = 1_000;
/** What is left waits an hour. */
const MOST_BATCHES = 1_000;

/** Removes the values before and after updates when their time is over; returns how to stop. */
export function startImagePurge(deps: {
  db: Db;
  now: () => Date;
  log: Logger;
}): () => Promise<void> {
  const stopping = new AbortController();
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      await purge(deps).catch((error: unknown) =>
        deps.log.error({ err: error }, 'old values of updates not removed'),
      );
      await sleep(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    stopping.abort();
    await finished;
  };
}

async function purge({ db, now }: { db: Db; now: () => Date }): Promise<void> {
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    const removed = await acrossWorkspaces(db, (tx) =>
      removeOldImages(tx, { now: now(), limit: BATCH }),
    );
    if (removed < BATCH) return;
  }
}
