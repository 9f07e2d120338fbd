import { once } from 'node:events';
import type { Logger } from 'pino';
import { createLog } from './log.ts';

type OnStop = (release: () => unknown) => void;

/**
 * Runs a service until SIGINT or SIGTERM, then releases what it acquired, newest first. A failure
 * to start is logged and ends the process with 1; a release that hangs is cut after 10 s.
 */
export async function runService(
  name: string,
  start: (service: { log: Logger; onStop: OnStop }) => Promise<void>,
): Promise<void> {
  const log = createLog(name);
  const signalled = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  // an error nobody caught would be printed whole by Node, with the values a driver quotes
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error nobody caught');
    process.exit(1);
  });
  try {
    await using resources = new AsyncDisposableStack();
    const onStop: OnStop = (release) => {
      // it stopped while it was starting: what comes too late goes at once
      if (resources.disposed) void Promise.resolve(release()).catch(() => undefined);
      else resources.defer(async () => void (await release()));
    };
    const started = start({ log, onStop });
    // to wait for a database or broker must not keep a service from stopping
    await Promise.race([started.then(() => log.info('ready')), signalled]);
    const [signal] = await signalled;
    started.catch((error: unknown) => log.warn({ err: error }, 'start given up'));
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), 10_000).unref();
  } catch (error) {
    log.fatal({ err: error }, 'could not run');
    process.exit(1);
  }
  process.exit(0);
}
