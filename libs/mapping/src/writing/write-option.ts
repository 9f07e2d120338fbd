import type { FieldOption, FieldValue, OptionId } from '@manifold/contracts';
import { type Conversion, withheld } from '../converting/conversion.ts';
import { foldLabel } from '../converting/texts.ts';

/** A label as the id of its option. */
export function optionWriter(
  options: readonly FieldOption[],
): (label: string) => Conversion<FieldValue> {
  const find = findOption(options);
  return (label) => {
    const found = find(label);
    return 'id' in found ? { value: found.id } : withheld(found.reason);
  };
}

/** Labels as the ids of their options; those that name none, or several, are dropped. */
export function optionsWriter(
  options: readonly FieldOption[],
): (labels: string[]) => Conversion<FieldValue> {
  const find = findOption(options);
  return (labels) => {
    const found = labels.map(find);
    const ids = [...new Set(found.flatMap((one) => ('id' in one ? one.id : [])))];
    const failed = found.find((one) => 'reason' in one);
    if (failed === undefined) return { value: toList(ids) };
    return ids.length === 0 ? withheld(failed.reason) : { value: toList(ids), loss: failed.reason };
  };
}

type Found = { id: OptionId } | { reason: 'option_unknown' | 'option_ambiguous' };

/** By exact label, then by label whatever its case and spaces, then by id. */
function findOption(options: readonly FieldOption[]): (label: string) => Found {
  const exact = Map.groupBy(options, ({ label }) => label);
  const folded = Map.groupBy(options, ({ label }) => foldLabel(label));
  const ids = new Map(options.map(({ id }) => [String(id), id]));
  return (label) => {
    const matches = exact.get(label) ?? folded.get(foldLabel(label)) ?? [];
    const [match, another] = matches;
    if (another !== undefined) return { reason: 'option_ambiguous' };
    const id = match?.id ?? ids.get(label.trim());
    return id === undefined ? { reason: 'option_unknown' } : { id };
  };
}

function toList(ids: readonly OptionId[]): number[] | string[] {
  const numbers = ids.filter((id) => typeof id === 'number');
  return numbers.length === ids.length ? numbers : ids.map(String);
}
