import type { FieldDefinition, OptionId } from '@manifold/contracts';
import { type ToVariable, withheld } from '../converting/conversion.ts';
import { isOptionId } from '../converting/field-shapes.ts';

/** An option id as its label. */
export function optionReader(field: FieldDefinition): ToVariable {
  const labelOf = labelsOf(field);
  return (value) => {
    const label = isOptionId(value) ? labelOf(value) : undefined;
    return label === undefined ? withheld('option_unknown') : { value: label };
  };
}

/** A list of option ids as their labels; those without one are dropped. */
export function optionsReader(field: FieldDefinition): ToVariable {
  const labelOf = labelsOf(field);
  return (value) => {
    if (!Array.isArray(value)) return withheld('shape_unexpected');
    const known: string[] = [];
    for (const id of value) {
      const label = isOptionId(id) ? labelOf(id) : undefined;
      if (label !== undefined) known.push(label);
    }
    if (known.length === value.length) return { value: known };
    return known.length === 0
      ? withheld('option_unknown')
      : { value: known, loss: 'option_unknown' };
  };
}

/** Some built-in options are words that need no label. */
function labelsOf({ options = [] }: FieldDefinition): (id: OptionId) => string | undefined {
  const labels = new Map(options.map(({ id, label }) => [id, label]));
  return (id) => labels.get(id) ?? (typeof id === 'string' && id !== '' ? id : undefined);
}
