import type { Permission } from '@manifold/contracts';
import { type Losses, type Maybe, reduce, withhold } from './losses.ts';
import { isNothing } from './texts.ts';

type Labels = ReadonlyMap<unknown, string>;

/** Where there is no label, a word stands for itself. */
const labelOf = (known: Labels, id: unknown): string | undefined =>
  known.get(id) ?? (typeof id === 'string' && id !== '' ? id : undefined);

export function readOption(
  value: unknown,
  known: Labels,
  rowId: string,
  losses: Losses,
): Maybe<string> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  return labelOf(known, value) ?? withhold(losses, rowId, 'option_unknown');
}

export function readYesOrNo(
  value: unknown,
  known: Labels,
  rowId: string,
  losses: Losses,
): Maybe<boolean> {
  const label = readOption(value, known, rowId, losses);
  if (label === undefined || label === null) return label;
  const word = label.trim().toLowerCase();
  if (word === 'yes' || word === 'true' || word === '1') return true;
  if (word === 'no' || word === 'false' || word === '0') return false;
  return withhold(losses, rowId, 'not_a_boolean');
}

export function readLabels(
  value: unknown,
  known: Labels,
  rowId: string,
  losses: Losses,
): Maybe<string[]> {
  if (value === undefined) return undefined;
  if (isNothing(value)) return null;
  if (!Array.isArray(value)) return withhold(losses, rowId, 'shape_unexpected');
  const found: string[] = [];
  for (const id of value) {
    const label = labelOf(known, id);
    if (label !== undefined) found.push(label);
  }
  if (found.length === 0) return withhold(losses, rowId, 'option_unknown');
  if (found.length < value.length) reduce(losses, rowId, 'option_unknown');
  return found;
}

const NONE: Labels = new Map();

export function readPermission(value: unknown, rowId: string, losses: Losses): Maybe<Permission> {
  const status = readOption(value, NONE, rowId, losses);
  if (status === undefined || status === null) return status;
  const word = status.trim().toLowerCase();
  switch (word) {
    case 'subscribed':
      return 'subscribed';
    case 'unsubscribed':
    case 'no_consent':
    case 'archived':
      return 'unsubscribed';
    default:
      reduce(losses, rowId, 'permission_unclear');
      return 'unsubscribed';
  }
}
