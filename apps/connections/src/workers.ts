import type { Logger } from 'pino';
import { startChangeSetWorker } from './changes/worker.ts';
import { startCompletenessWorker } from './completeness/worker.ts';
import type { Config } from './config.ts';
import type { connectPipedrive } from './pipedrive.ts';
import { registerChange } from './registry/keeping.ts';
import type { Db } from './store.ts';
import { startUpkeep } from './upkeep/worker.ts';
import { startKeyUpkeep } from './vault/worker.ts';
import { followChange } from './webhooks/following.ts';
import { startHealthWorker } from './webhooks/health/worker.ts';
import { startWebhookWorker } from './webhooks/worker.ts';
import { startImagePurge } from './writes/images/purge.ts';
import { startWriteWorker } from './writes/sending/worker.ts';

/** Everything that works by itself, for ever; what is handed to `onStop` ends it. */
export function startWorkers(parts: {
  env: Config;
  db: Db;
  log: Logger;
  now: () => Date;
  onStop: (release: () => unknown) => void;
  accounts: Awaited<ReturnType<typeof connectPipedrive>>;
}) {
  const { env, db, log, now, onStop, accounts } = parts;
  const { vault, access } = accounts;
  onStop(accounts.stopLedger);
  onStop(startKeyUpkeep(accounts));
  onStop(startUpkeep(accounts));

  const sending = {
    db,
    vault,
    now,
    log,
    settleMs: env.SETTLE_MS,
    indexFreshMs: env.INDEX_FRESH_MS,
  };
  const writes = startWriteWorker({ ...sending, clientFor: access.clientFor });
  onStop(writes.stop);
  onStop(startImagePurge(sending));
  const changeSets = startChangeSetWorker({
    ...accounts,
    clientFor: access.clientFor,
    indexFreshMs: env.INDEX_FRESH_MS,
    wakeSender: writes.wake,
  });
  onStop(changeSets.stop);
  const telling = { follow: followChange(vault), register: registerChange(vault) };
  const webhooks = startWebhookWorker({ db, vault, now, log, ...telling });
  onStop(webhooks.stop);
  const tracking = {
    sweepEveryMs: env.SWEEP_EVERY_MS,
    verifyEveryMs: env.VERIFY_EVERY_MS,
    graceMs: env.WEBHOOK_GRACE_MS,
  };
  onStop(startCompletenessWorker({ ...accounts, ...telling, ...tracking }).stop);
  onStop(startHealthWorker({ ...accounts, checkEveryMs: env.WEBHOOK_CHECK_MS }).stop);
  return {
    wakes: { wake: writes.wake, wakeChangeSets: changeSets.wake },
    wakeWebhooks: webhooks.wake,
    tracking,
  };
}
