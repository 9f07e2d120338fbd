import { Duration } from '@marcbachmann/cel-js/evaluator';
import { stop } from '../../failures.ts';

const NANOS: Record<string, bigint> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
};
/** About ten thousand years, either way. */
const MOST_SECONDS = 315_576_000_000n;
const UNIT = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/y;

export const nanosOf = (duration: Duration): bigint =>
  duration.seconds * 1_000_000_000n + BigInt(duration.nanos);

/** Within what the language allows. */
export const isDuration = ({ seconds }: Duration): boolean =>
  seconds <= MOST_SECONDS && seconds >= -MOST_SECONDS;

function fromNanos(nanos: bigint): Duration {
  const duration = new Duration(nanos / 1_000_000_000n, Number(nanos % 1_000_000_000n));
  return isDuration(duration) ? duration : stop('out_of_range');
}

/** `1h30m`, `-1.5s`, `0`: numbers with units, one after the other. */
export function readDuration(text: string): Duration {
  const isNegative = text.startsWith('-');
  const rest = text.replace(/^[-+]/, '');
  if (rest === '0') return fromNanos(0n);
  if (rest === '' || rest.length > 64) stop('bad_value');
  let nanos = 0n;
  UNIT.lastIndex = 0;
  while (UNIT.lastIndex < rest.length) {
    const [, amount = '', unit = ''] = UNIT.exec(rest) ?? stop('bad_value');
    const [whole = '', fraction = ''] = amount.split('.');
    const size = NANOS[unit] ?? 0n;
    nanos += BigInt(whole || '0') * size;
    nanos += (BigInt(fraction.padEnd(15, '0').slice(0, 15)) * size) / 10n ** 15n;
  }
  return fromNanos(isNegative ? -nanos : nanos);
}

/** Seconds with as many digits as are needed: `3600s`, `-1.5s`. */
export function durationText(duration: Duration): string {
  const nanos = nanosOf(duration);
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = (size % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  const seconds = `${size / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}`;
  return `${nanos < 0n ? '-' : ''}${seconds}s`;
}
