import { type Losses, type Maybe, withhold } from './losses.ts';
import { dateIn, instantIn, isNothing } from './texts.ts';

export function readText(value: unknown, rowId: string, losses: Losses): Maybe<string> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  return typeof value === 'string' ? value : withhold(losses, rowId, 'shape_unexpected');
}

export function readNumber(value: unknown, rowId: string, losses: Losses): Maybe<number> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return withhold(losses, rowId, 'shape_unexpected');
}

export function readBoolean(value: unknown, rowId: string, losses: Losses): Maybe<boolean> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  return typeof value === 'boolean' ? value : withhold(losses, rowId, 'shape_unexpected');
}

export function readDate(value: unknown, rowId: string, losses: Losses): Maybe<string> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  const read = typeof value === 'string' ? dateIn(value) : undefined;
  return read ?? withhold(losses, rowId, 'shape_unexpected');
}

export function readInstant(value: unknown, rowId: string, losses: Losses): Maybe<string> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  const read = typeof value === 'string' ? instantIn(value) : undefined;
  return read ?? withhold(losses, rowId, 'shape_unexpected');
}
