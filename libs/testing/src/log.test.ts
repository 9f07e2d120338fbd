import { expect, test } from 'vitest';
import { captureLog, silentLog } from './index.ts';

test('every level and every child of the captured logger is caught', () => {
  const { log, lines } = captureLog();
  log.trace({ token: 'secret' }, 'one');
  log.child({ service: 'contacts' }).error(new Error('two'));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain('"token":"secret"');
  expect(lines[1]).toContain('"service":"contacts"');
});

test('the silent logger has every level off', () => {
  expect(silentLog.isLevelEnabled('fatal')).toBe(false);
});
