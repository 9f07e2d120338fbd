import { eventually } from '@manifold/testing';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { holdRepeats } from './repeats.ts';

test('an error that repeats is said at once, and then once a minute with how often it came', async () => {
  const { log, said } = capture({ everyMs: 50 });
  for (let n = 1; n <= 1_000; n += 1) {
    log.error({ err: new Error(`page ${n} not stored`), attempts: n }, 'not stored');
  }

  expect(said()).toMatchObject([{ attempts: 1 }]);
  await eventually(() =>
    expect(said()).toMatchObject([{ attempts: 1 }, { attempts: 1_000, repeated: 999 }]),
  );
});

test('another kind of error is said at once', () => {
  const { log, said } = capture();
  const away = Object.assign(new Error('lost'), { code: 'ECONNRESET' });
  for (const err of [new Error('lost'), new TypeError('lost'), away]) log.error({ err }, 'failed');
  log.error({ err: away }, 'not stored');
  log.error({ err: away, stream: 'contacts' }, 'not stored');
  log.warn({ err: away, stream: 'contacts' }, 'not stored');
  log.error('failed');
  log.error(away);

  expect(said()).toHaveLength(8);
});

test('what is no trouble, and what ends the process, is said each time', () => {
  const { log, said } = capture();
  for (let n = 0; n < 3; n += 1) {
    log.info('ready');
    log.fatal({ err: new Error('x') }, 'could not run');
  }
  expect(said()).toHaveLength(6);
});

test('more kinds than can be told apart are not all said', () => {
  const { log, said, sayHeld } = capture();
  for (let n = 0; n < 5_000; n += 1) log.error({ route: `/${n}` }, 'failed');
  expect(said().length).toBeLessThanOrEqual(502);
  sayHeld();
  expect(said().at(-1)).toMatchObject({ route: '/4999', repeated: 5_000 - 501 });
});

test('at the end what was kept back is said once', () => {
  const { log, said, sayHeld } = capture();
  for (let n = 0; n < 3; n += 1) log.warn('broker connection lost');
  sayHeld();
  sayHeld();
  expect(said()).toMatchObject([{ level: 40 }, { msg: 'broker connection lost', repeated: 2 }]);
});

function capture(options?: { everyMs: number }) {
  const lines: string[] = [];
  const { logMethod, sayHeld } = holdRepeats(options);
  const write = (line: string) => void lines.push(line);
  const log = pino({ level: 'trace', hooks: { logMethod } }, { write });
  const said = (): Record<string, unknown>[] => lines.map((line) => JSON.parse(line));
  return { log, said, sayHeld };
}
