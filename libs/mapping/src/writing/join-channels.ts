import type { ChannelValue } from '@manifold/contracts';
import type { Conversion } from '../converting/conversion.ts';
import type { Parts } from './parts.ts';

const LABELS = ['work', 'home', 'mobile', 'other'] as const;

/** A list of addresses or numbers by their labels, exactly one of them primary. */
export function joinChannels(parts: Parts): Conversion<ChannelValue[] | null> {
  const list: ChannelValue[] = LABELS.flatMap((label) => {
    const value = parts[label];
    return typeof value === 'string' ? [{ value, label, primary: false }] : [];
  });
  const { primary } = parts;
  if (typeof primary === 'string' && !list.some(({ value }) => value === primary)) {
    list.unshift({ value: primary, label: 'work', primary: false });
  }
  if (list.length === 0) return { value: null };
  const first = Math.max(
    0,
    list.findIndex(({ value }) => value === primary),
  );
  return { value: list.map((channel, index) => ({ ...channel, primary: index === first })) };
}
