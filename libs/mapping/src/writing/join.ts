import type { FieldDefinition, MappedValue, MappingPart, VariableType } from '@manifold/contracts';
import {
  type Conversion,
  type Convert,
  inTurn,
  isEmpty,
  withheld,
} from '../converting/conversion.ts';
import { joinAddress } from './join-address.ts';
import { joinChannels } from './join-channels.ts';
import type { Join, Parts } from './parts.ts';
import { writingOf } from './write-field.ts';

type Joinable = {
  parts: Partial<Record<MappingPart, VariableType>>;
  join: Join;
};

const joinRange: Join = ({ start = null, end = null }) =>
  // rows give texts for these parts
  ({ value: start === null && end === null ? null : ({ start, end } as MappedValue) });

const channelsOf = (type: 'email' | 'phone'): Joinable => ({
  parts: { primary: type, work: type, home: type, mobile: type, other: type },
  join: joinChannels,
});

const joinables: Partial<Record<VariableType | 'address', Joinable>> = {
  money: { parts: { amount: 'number', currency: 'text' }, join: joinMoney },
  date_range: { parts: { start: 'date', end: 'date' }, join: joinRange },
  time_range: { parts: { start: 'time', end: 'time' }, join: joinRange },
  email_list: channelsOf('email'),
  phone_list: channelsOf('phone'),
  address: {
    parts: {
      ...{ value: 'text', route: 'text', street_number: 'text', subpremise: 'text' },
      ...{ sublocality: 'text', locality: 'text', postal_code: 'text' },
      ...{ admin_area_level_1: 'text', admin_area_level_2: 'text', country: 'text' },
    },
    join: joinAddress,
  },
};

/** What a part of a target takes and how its parts become one value; undefined for no such part. */
export function joiningOf(
  end: { type: VariableType } | { field: FieldDefinition },
  part: MappingPart,
): { type: VariableType; join: Join } | undefined {
  const writing = 'field' in end ? writingOf(end.field) : undefined;
  const kind =
    'field' in end ? (end.field.type === 'address' ? 'address' : writing?.type) : end.type;
  const joinable = kind === undefined ? undefined : joinables[kind];
  const type = joinable?.parts[part];
  if (joinable === undefined || type === undefined) return undefined;
  if (writing === undefined) return { type, join: joinable.join };
  // a join answers in the type its parts belong to
  const write: Convert<MappedValue> = inTurn(joinable.join as Convert<MappedValue>, writing.write);
  return { type, join: write };
}

function joinMoney({ amount, currency }: Parts): Conversion<MappedValue> {
  if (typeof amount === 'number') {
    return { value: { amount, currency: typeof currency === 'string' ? currency : null } };
  }
  return isEmpty(currency) ? { value: null } : withheld('amount_missing');
}
