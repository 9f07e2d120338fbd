import { stop } from '../../failures.ts';
import { RUN_LIMITS } from '../../limits.ts';
import type { Meter } from '../../meter.ts';
import type { DefinitionsWith } from '../definition.ts';
import { formatText } from './format.ts';

/** A long text looked for in a longer one costs their product at worst. */
const SEARCHED_PER_STEP = 4_096;

const searching =
  (meter: Meter) =>
  (text: string, wanted: string): string => {
    meter.charge(1 + Math.ceil((text.length * wanted.length) / SEARCHED_PER_STEP));
    return text;
  };

/** Positions count characters as `size` does, so a character outside the first plane is one. */
export const replacedTextFunctions: DefinitionsWith = (meter) => {
  const search = searching(meter);
  return {
    'string.lowerAscii(): string': (text: string) =>
      text.replace(/[A-Z]+/g, (at) => at.toLowerCase()),
    'string.upperAscii(): string': (text: string) =>
      text.replace(/[a-z]+/g, (at) => at.toUpperCase()),
    'string.trim(): string': trim,
    'string.contains(string): bool': (text: string, wanted: string) =>
      search(text, wanted).includes(wanted),
    'string.indexOf(string): int': (text: string, wanted: string) =>
      toPosition(text, search(text, wanted).indexOf(wanted)),
    'string.indexOf(string, int): int': (text: string, wanted: string, from: bigint) =>
      wanted === ''
        ? from
        : toPosition(text, search(text, wanted).indexOf(wanted, toUnit(text, from, true))),
    'string.lastIndexOf(string): int': (text: string, wanted: string) =>
      toPosition(text, search(text, wanted).lastIndexOf(wanted)),
    'string.lastIndexOf(string, int): int': (text: string, wanted: string, from: bigint) =>
      wanted === ''
        ? from
        : toPosition(text, search(text, wanted).lastIndexOf(wanted, toUnit(text, from, true))),
    'string.substring(int): string': (text: string, start: bigint) =>
      text.slice(toUnit(text, start)),
    'string.substring(int, int): string': (text: string, start: bigint, end: bigint) =>
      end < start ? stop('out_of_range') : text.slice(toUnit(text, start), toUnit(text, end)),
    'string.split(string): list<string>': (text: string, separator: string) =>
      parts(search(text, separator), separator),
    'string.split(string, int): list<string>': (text: string, separator: string, limit: bigint) =>
      split(search(text, separator), separator, limit),
    'list<string>.join(): string': (texts: unknown[]) => join(texts, ''),
    'list<string>.join(string): string': join,
  };
};

export const textFunctions: DefinitionsWith = (meter) => {
  const search = searching(meter);
  return {
    'string.charAt(int): string': charAt,
    'string.replace(string, string): string': (text: string, wanted: string, given: string) =>
      replace(search(text, wanted), { wanted, given, limit: Infinity }),
    'string.replace(string, string, int): string': (
      text: string,
      wanted: string,
      given: string,
      limit: bigint,
    ) =>
      replace(search(text, wanted), {
        wanted,
        given,
        limit: limit < 0n ? Infinity : Number(limit),
      }),
    'string.reverse(): string': (text: string) => Array.from(text).reverse().join(''),
    'string.format(list<dyn>): string': formatText,
  };
};

function charAt(text: string, position: bigint): string {
  const unit = toUnit(text, position);
  return unit === text.length ? '' : String.fromCodePoint(text.codePointAt(unit) ?? 0);
}

const isSplit = (text: string): boolean => /[\ud800-\udfff]/.test(text);

function toPosition(text: string, unit: number): bigint {
  if (unit < 0 || !isSplit(text)) return BigInt(unit);
  return BigInt(Array.from(text.slice(0, unit)).length);
}

function toUnit(text: string, position: bigint, isStart = false): number {
  const characters = isSplit(text) ? Array.from(text) : undefined;
  const size = characters?.length ?? text.length;
  const last = isStart ? size - 1 : size;
  if (position < 0n || position > BigInt(last)) return stop('out_of_range');
  return characters?.slice(0, Number(position)).join('').length ?? Number(position);
}

/** White space of Unicode. */
const SPACES = new Set(
  '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
);

function trim(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && SPACES.has(text.charAt(start))) start++;
  while (end > start && SPACES.has(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

const parts = (text: string, separator: string): string[] =>
  separator === '' ? Array.from(text) : text.split(separator);

function split(text: string, separator: string, limit: bigint): string[] {
  if (limit === 0n) return [];
  const all = parts(text, separator);
  if (limit < 0n || BigInt(all.length) <= limit) return all;
  const kept = Number(limit) - 1;
  return [...all.slice(0, kept), all.slice(kept).join(separator)];
}

function join(texts: unknown[], separator: string): string {
  let size = separator.length * Math.max(0, texts.length - 1);
  for (const text of texts) size += typeof text === 'string' ? text.length : stop('wrong_type');
  return size > RUN_LIMITS.textChars ? stop('too_large') : texts.join(separator);
}

function replace(
  text: string,
  { wanted, given, limit }: { wanted: string; given: string; limit: number },
): string {
  const pieces = parts(text, wanted);
  // an empty text is found before, between and after all characters
  if (wanted === '') pieces.unshift('');
  if (wanted === '') pieces.push('');
  const times = Math.min(limit, pieces.length - 1);
  const size = text.length + times * (given.length - wanted.length);
  if (size > RUN_LIMITS.textChars) return stop('too_large');
  return (
    pieces.slice(0, times + 1).join(given) +
    pieces
      .slice(times + 1)
      .map((piece) => wanted + piece)
      .join('')
  );
}
