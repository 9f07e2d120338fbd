import { once } from 'node:events';
import { type Logger, pino } from 'pino';

/** Keys whose values never reach a log, wherever they stand in a logged object. */
const SECRET_KEYS = [
  'authorization',
  'token',
  'accessToken',
  'refreshToken',
  'password',
  'email',
  'apiKey',
  'secret',
  'code',
];

/** A logger for one service; known secret keys are cut out at any of three depths. */
export function createLog(name: string, level = process.env['LOG_LEVEL'] ?? 'info'): Logger {
  const paths = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]).filter(
    // an error's code is a kind of failure, not a secret
    (path) => path !== '*.code' && path !== '*.*.code',
  );
  return pino({ name, level, redact: { paths, censor: '[redacted]' } });
}

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
