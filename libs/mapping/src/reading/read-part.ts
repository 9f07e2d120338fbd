import type {
  FieldDefinition,
  MappingPart,
  VariableType,
  VariableValue,
} from '@manifold/contracts';
import { type Conversion, type ToVariable, withheld } from '../converting/conversion.ts';
import { readDate, readTime } from '../converting/texts.ts';
import { isAddress, isChannels, isJson, isMonetary } from '../converting/field-shapes.ts';
import { partsOf } from './field-types.ts';

/** How one part of a composite is read; undefined when the field has no such part. */
export function partReadingOf(
  field: FieldDefinition,
  part: MappingPart,
): { type: VariableType; read: ToVariable } | undefined {
  if (!partsOf(field).includes(part)) return undefined;
  const type = partType(field, part);
  return { type, read: partReader(part, type) };
}

function partType({ type }: FieldDefinition, part: MappingPart): VariableType {
  if (part === 'amount') return 'number';
  if (part === 'start' || part === 'end') return type === 'daterange' ? 'date' : 'time';
  if (type === 'emails') return part === 'list' ? 'email_list' : 'email';
  if (type === 'phones') return part === 'list' ? 'phone_list' : 'phone';
  return 'text';
}

const unreadable = withheld('shape_unexpected');
const whole = (value: VariableValue): Conversion<VariableValue> => ({ value });

/** A reader of one part; what a part is taken from may have any shape. */
function partReader(part: MappingPart, type: VariableType): ToVariable {
  switch (part) {
    case 'amount':
      return (value) => (isMonetary(value) ? whole(value.value) : unreadable);
    case 'currency':
      return (value) => (isMonetary(value) ? whole(value.currency) : unreadable);
    case 'start':
    case 'end':
      return endReader(part === 'start' ? 'value' : 'until', type === 'date' ? readDate : readTime);
    case 'list':
      return (value) => (isChannels(value) ? whole(value) : unreadable);
    case 'primary':
      return (value) =>
        isChannels(value)
          ? whole((value.find(({ primary }) => primary) ?? value[0])?.value ?? null)
          : unreadable;
    case 'work':
    case 'home':
    case 'mobile':
    case 'other':
      return (value) =>
        isChannels(value)
          ? whole(value.find(({ label }) => label.toLowerCase() === part)?.value ?? null)
          : unreadable;
    case 'value':
    case 'country':
    case 'admin_area_level_1':
    case 'admin_area_level_2':
    case 'locality':
    case 'sublocality':
    case 'route':
    case 'street_number':
    case 'subpremise':
    case 'postal_code':
    case 'formatted_address':
      return addressPartReader(part);
  }
}

/** One end of a range; its time zone is no part of it. */
const endReader =
  (key: 'value' | 'until', read: (text: string) => string | undefined): ToVariable =>
  (value) => {
    const end = isJson(value) ? value[key] : undefined;
    if (end === null) return whole(null);
    const text = typeof end === 'string' ? read(end) : undefined;
    return text === undefined ? unreadable : whole(text);
  };

/** The whole address as people write it, or one of the parts Pipedrive derived from it. */
export const addressPartReader =
  (part: MappingPart): ToVariable =>
  (value) => {
    const text = isAddress(value) ? value[part] : undefined;
    return text === null || typeof text === 'string' ? whole(text) : unreadable;
  };
