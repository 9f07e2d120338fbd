import { once } from 'node:events';
import type { Logger } from 'pino';
import { createLog } from './log.ts';

/**
 * Runs a service until SIGINT or SIGTERM, then releases what it acquired, newest first. A failure
 * to start is logged and ends the process with 1; a release that hangs is cut after 10 s.
 */
export async function runService(
  name: string,
  start: (service: { log: Logger; onStop: (release: () => unknown) => void }) => Promise<void>,
): Promise<void> {
  const log = createLog(name);
  const signalled = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  try {
    await using resources = new AsyncDisposableStack();
    await start({ log, onStop: (release) => resources.defer(async () => void (await release())) });
    log.info('ready');
    const [signal] = await signalled;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), 10_000).unref();
  } catch (error) {
    log.fatal({ err: error }, 'could not run');
    process.exit(1);
  }
  process.exit(0);
}
