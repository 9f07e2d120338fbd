import type { MappedValue, MappingRow, VariableType, VariableValue } from '@manifold/contracts';
import { type Convert, inTurn, isEmpty } from '../converting/conversion.ts';
import { readingAs, typeOfValue } from '../converting/shapes.ts';
import type { Target } from './ends.ts';
import { badFixedValue, type Obstacle } from './obstacles.ts';

/** A fixed value that cannot be written is found now, not once per record. */
export function checkConstant(
  { source }: MappingRow,
  convert: Convert<MappedValue>,
): Obstacle | undefined {
  if (source.object !== 'constant' || isEmpty(source.value)) return undefined;
  const fixed = convert(source.value);
  return 'withheld' in fixed ? badFixedValue('The fixed value', fixed.withheld) : undefined;
}

/** The default in the target's form; null when there is none. */
export function defaultOf(
  { default: value }: MappingRow,
  target: Target,
): { value: MappedValue } | Obstacle {
  if (value === undefined || value === null) return { value: null };
  const type = typeOfDefault(value, target);
  const between = target.convert(type);
  if (between === undefined) return badFixedValue('The default', 'shape_unexpected');
  const made = inTurn(inTurn(readingAs(type), between), target.write)(value);
  return 'withheld' in made ? badFixedValue('The default', made.withheld) : { value: made.value };
}

/** A list of numbers looks like a list of addresses; the target tells them apart. */
const typeOfDefault = (value: NonNullable<VariableValue>, { type }: Target): VariableType => {
  const seeming = typeOfValue(value);
  return seeming === 'email_list' && type === 'phone_list' ? type : seeming;
};
