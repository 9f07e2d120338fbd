import { type Logger, pino } from 'pino';

/** A logger for code that wants one and tests that do not read it. */
export const silentLog: Logger = pino({ level: 'silent' });

/**
 * A logger at its most talkative, and the lines it wrote, as text; for assertions that a secret never shows:
 * `expect(lines.join('\n')).not.toContain(token)`.
 */
export function captureLog(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line.trimEnd());
  return { log: pino({ level: 'trace' }, { write }), lines };
}
