import { createLatch } from '@manifold/messaging';
import { listUnusedMasterKeys, rewrapKeys, sweepSealed, type VaultDeps } from './commands.ts';

/** Well below the time a new key waits before it seals. */
const POLL_MS = 5_000;

/** Learns of new keys, and brings what older ones sealed over to them. Works while other replicas do too. */
export function startKeyUpkeep(deps: VaultDeps): () => Promise<void> {
  const stopping = new AbortController();
  const latch = createLatch(POLL_MS, stopping.signal);
  const finished = (async () => {
    await tellUnused(deps);
    while (!stopping.signal.aborted) {
      const done = await keepUp(deps).catch((error: unknown) => {
        deps.log.error({ err: error }, 'keys not looked after');
        return 0;
      });
      if (done === 0) await latch.wait();
    }
  })();
  return async () => {
    stopping.abort();
    await finished;
  };
}

async function keepUp(deps: VaultDeps): Promise<number> {
  await deps.keyring.refresh();
  return (await rewrapKeys(deps)) + (await sweepSealed(deps));
}

/** For the operator: what may be taken out of MASTER_KEYS. */
async function tellUnused(deps: VaultDeps): Promise<void> {
  const unused = await listUnusedMasterKeys(deps).catch(() => []);
  if (unused.length > 0) deps.log.info({ unused }, 'master keys nothing needs any more');
}
