import { Optional } from '@marcbachmann/cel-js';
import { stop } from '../failures.ts';
import { type Evaluate, fieldOf, pairOf } from './node.ts';

/**
 * Reading fields and elements. The library's own would also read prototypes of instants and of its
 * name spaces; here there are only maps, lists and optionals.
 */
export const readField: Evaluate = (evaluator, node, context) => {
  const { of, key } = fieldOf(node);
  return required(evaluator.run(of, context), key);
};

export const readElement: Evaluate = (evaluator, node, context) => {
  const [of, index] = pairOf(node);
  return required(evaluator.run(of, context), evaluator.run(index, context));
};

export const readOptionalField: Evaluate = (evaluator, node, context) => {
  const { of, key } = fieldOf(node);
  return optional(evaluator.run(of, context), key);
};

export const readOptionalElement: Evaluate = (evaluator, node, context) => {
  const [of, index] = pairOf(node);
  return optional(evaluator.run(of, context), evaluator.run(index, context));
};

function required(holder: unknown, key: unknown): unknown {
  if (holder instanceof Optional) return optional(holder, key);
  const value = lookUp(holder, key);
  return value === undefined ? stop('missing_value') : value;
}

function optional(holder: unknown, key: unknown): unknown {
  const held = holder instanceof Optional ? holder.orValue(undefined) : holder;
  return held === undefined ? Optional.none() : Optional.of(lookUp(held, key));
}

/** Undefined when it is not there; refuses holders that can hold nothing. */
export function lookUp(holder: unknown, key: unknown): unknown {
  if (holder instanceof Map) return holder.get(mapKey(key));
  if (Array.isArray(holder)) return holder[listIndex(key)];
  // the name space `google`, the one plain object there is
  if (isPlain(holder) && typeof key === 'string' && Object.hasOwn(holder, key)) return holder[key];
  return stop('wrong_type');
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && value.constructor === Object;

/** 1, 1u and 1.0 are one key. */
export function mapKey(key: unknown): unknown {
  if (typeof key === 'number') return Number.isInteger(key) ? BigInt(key) : key;
  if (typeof key === 'object' && key !== null) {
    const plain = key.valueOf();
    return typeof plain === 'bigint' ? plain : stop('wrong_type');
  }
  return key;
}

function listIndex(key: unknown): number {
  const index = mapKey(key);
  return typeof index === 'bigint' ? Number(index) : stop('wrong_type');
}
