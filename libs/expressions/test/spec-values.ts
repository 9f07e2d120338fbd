import { Optional } from '@marcbachmann/cel-js';
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { durationText, readDuration } from '../src/functions/time/durations.ts';

/** A value as the test data of the specification writes it. */
export type SpecValue = Readonly<Record<string, unknown>>;

interface SpecList {
  values?: SpecValue[];
}
interface SpecMap {
  entries?: { key: SpecValue; value: SpecValue }[];
}

/** The value as our evaluator would hold it; undefined when it is one of protobuf's. */
export function fromSpec(given: SpecValue): unknown {
  const [kind = '', value] = Object.entries(given)[0] ?? [];
  switch (kind) {
    case 'int64Value':
      return BigInt(String(value));
    case 'uint64Value':
      return new UnsignedInt(BigInt(String(value)));
    case 'doubleValue':
      return Number(value);
    case 'bytesValue':
      return new Uint8Array(Buffer.from(String(value), 'base64'));
    case 'nullValue':
    case 'stringValue':
    case 'boolValue':
      return value;
    case 'listValue':
      return ((value as SpecList).values ?? []).map(fromSpec);
    case 'mapValue':
      return new Map(
        ((value as SpecMap).entries ?? []).map((entry) => [
          fromSpec(entry.key),
          fromSpec(entry.value),
        ]),
      );
    case 'typeValue':
      return { name: value };
    case 'objectValue':
      return fromObject(value as Record<string, string>);
    default:
      return undefined;
  }
}

function fromObject({ '@type': type = '', value = '' }: Record<string, string>): unknown {
  if (type.endsWith('.Timestamp')) return new Date(value);
  return type.endsWith('.Duration') ? readDuration(value) : undefined;
}

/** One text per value: its kind and its content, maps in any order. */
export function canonical(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return `int ${value}`;
  if (typeof value === 'number') return `double ${value === 0 ? 0 : value}`;
  if (typeof value === 'object') return canonicalObject(value);
  return `${typeof value} ${JSON.stringify(value)}`;
}

function canonicalObject(value: object): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(', ')}]`;
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => `${canonical(key)}: ${canonical(item)}`);
    return `{${entries.toSorted().join(', ')}}`;
  }
  if (value instanceof UnsignedInt) return `uint ${value.value}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date) return `timestamp ${value.toISOString()}`;
  if (value instanceof Duration) return `duration ${durationText(value)}`;
  if (value instanceof Optional) return `optional ${canonical(value.orValue(null))}`;
  if ('name' in value) return `type ${String(value.name).replace(/^null$/, 'null_type')}`;
  return canonicalObject(new Map(Object.entries(value)));
}
