import { type Logger, pino } from 'pino';
import { holdRepeats } from './repeats.ts';

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

/**
 * A logger for one service; known secret keys are cut out at any of three depths, and one kind of
 * warning or error is said once a minute.
 */
export function createLog(name: string, level = process.env['LOG_LEVEL'] ?? 'info'): Logger {
  const paths = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]).filter(
    // an error's code is a kind of failure, not a secret
    (path) => path !== '*.code' && path !== '*.*.code',
  );
  const redact = { paths, censor: '[redacted]' };
  const { logMethod, sayHeld } = holdRepeats();
  process.once('exit', sayHeld);
  return pino({
    ...{ name, level, redact },
    serializers: { err: describeError },
    hooks: { logMethod },
  });
}

/** Fields of an error that say what failed; drivers put values of rows into the others. */
const TELLING = ['code', 'severity', 'table', 'constraint', 'routine', 'kind'];
const MAX_CAUSES = 5;
const MAX_MESSAGE = 2_000;

/** An error for the log: kind, message, stack and causes, without what it quotes of the data. */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  // messages of the database and of parsers quote the value at fault
  const quotes = 'severity' in error || error.name === 'ZodError' || error instanceof SyntaxError;
  const telling = Object.entries(error).filter(([key]) => TELLING.includes(key));
  return {
    type: error.name,
    ...(quotes ? {} : { message: error.message.slice(0, MAX_MESSAGE) }),
    stack: error.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .join('\n'),
    ...Object.fromEntries(telling),
    ...(error.cause !== undefined && depth < MAX_CAUSES
      ? { cause: describeError(error.cause, depth + 1) }
      : {}),
  };
}
