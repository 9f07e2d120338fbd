import type { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { stop } from '../failures.ts';
import type { Definitions } from './definition.ts';
import { durationText } from './time/durations.ts';
import { instantText } from './time/instants.ts';

const MOST = 9_223_372_036_854_775_807n;
const LEAST = -9_223_372_036_854_775_808n;

/** 64 bits with a sign, or a refusal. */
export const inInt64 = (value: bigint): bigint =>
  value > MOST || value < LEAST ? stop('number_overflow') : value;

const utf8 = new TextDecoder('utf-8', { fatal: true });

function bytesText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return stop('bad_value');
  }
}

const readInt = (text: string): bigint =>
  /^[-+]?\d{1,19}$/.test(text) ? inInt64(BigInt(text.replace('+', ''))) : stop('bad_value');

function readDouble(text: string): number {
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return Number(text);
  const special = /^([-+]?)(inf|infinity|nan)$/i.exec(text) ?? stop('bad_value');
  if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
  return special[1] === '-' ? -Infinity : Infinity;
}

function doubleText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return `${value}`;
  return value > 0 ? '+Inf' : '-Inf';
}

const same = (value: unknown): unknown => value;

export const replacedConversions: Definitions = {
  'int(int): int': same,
  'int(uint): int': (value: UnsignedInt) => inInt64(value.value),
  'int(double): int': (value: number) =>
    // the ends themselves cannot be told from numbers beyond them
    value > -(2 ** 63) && value < 2 ** 63 ? BigInt(Math.trunc(value)) : stop('number_overflow'),
  'int(string): int': readInt,
  'int(timestamp): int': (date: Date) => BigInt(Math.floor(date.getTime() / 1_000)),
  'double(double): double': same,
  'double(int): double': Number,
  'double(uint): double': (value: UnsignedInt) => Number(value.value),
  'double(string): double': readDouble,
  'string(string): string': same,
  'string(bool): string': String,
  'string(int): string': String,
  'string(uint): string': String,
  'string(double): string': doubleText,
  'string(bytes): string': bytesText,
  'string(timestamp): string': instantText,
  'string(duration): string': (duration: Duration) => durationText(duration),
};
