import type { Field } from '../fields/field.ts';
import { timeZoneId } from '../fields/time-zones.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Random } from './random.ts';
import { CITIES, COMPANY_WORDS, CURRENCIES, ROLES, SENTENCES, STREETS, ZONES } from './words.ts';

/** Ids that generated pointers may name. */
export interface KnownIds {
  users: number[];
  persons: number;
  organizations: number;
}

/** A value for a custom field, in the stored form; three in ten are empty. */
export function makeCustomValue(field: Field, random: Random, ids: KnownIds): Json {
  if (random.chance(0.3)) return null;
  switch (field.type) {
    case 'varchar':
      return random.pick(ROLES);
    case 'varchar_auto':
      return random.pick(COMPANY_WORDS);
    case 'text':
      return random.pick(SENTENCES);
    case 'double':
      return Math.round(random.next() * 100_000) / 100;
    case 'monetary':
      return { value: random.int(500_000) / 100, currency: random.pick(CURRENCIES) };
    case 'enum':
      return random.pick(field.options ?? []).id;
    case 'set':
      return (field.options ?? [])
        .filter((_, at) => at === 0 || random.chance(0.4))
        .map(({ id }) => id);
    case 'phone':
      return makePhone(random);
    case 'address':
      return makeAddress(random);
    case 'user':
      return random.pick(ids.users);
    case 'org':
      return ids.organizations === 0 ? null : 1 + random.int(ids.organizations);
    case 'people':
      return ids.persons === 0 ? null : 1 + random.int(ids.persons);
    default:
      return makeMoment(field.type, random);
  }
}

function makeMoment(type: string, random: Random): Json {
  const zone = random.pick(ZONES);
  const zoned = { timezone_id: timeZoneId(zone), timezone_name: zone };
  switch (type) {
    case 'date':
      return makeDate(random, 0);
    case 'daterange': {
      const from = random.int(1_000);
      return { value: dayAt(from), until: dayAt(from + random.int(400)) };
    }
    case 'time':
      return { value: makeTime(random, 8), ...zoned };
    case 'timerange':
      return { value: makeTime(random, 8), until: makeTime(random, 14), ...zoned };
    default:
      return null;
  }
}

export function makePhone(random: Random): string {
  return `+${random.pick(['372', '46', '1', '49'])} ${5_000_000 + random.int(4_999_999)}`;
}

export function makeAddress(random: Random): JsonObject {
  const [city, country, code] = random.pick(CITIES);
  const street = random.pick(STREETS);
  const number = String(1 + random.int(120));
  const value = `${street} ${number}, ${code} ${city}, ${country}`;
  return {
    value,
    country,
    admin_area_level_1: null,
    admin_area_level_2: null,
    locality: city,
    sublocality: null,
    route: street,
    street_number: number,
    subpremise: null,
    postal_code: code,
    formatted_address: value,
  };
}

const FIRST_DAY = Date.UTC(2023, 0, 1);
const DAY_MS = 86_400_000;
const DAYS = 1_000;

function dayAt(day: number): string {
  return new Date(FIRST_DAY + day * DAY_MS).toISOString().slice(0, 10);
}

function makeDate(random: Random, from: number): string {
  return dayAt(from + random.int(DAYS));
}

function makeTime(random: Random, from: number): string {
  const hour = String(from + random.int(6)).padStart(2, '0');
  return `${hour}:${random.pick(['00', '15', '30', '45'])}:00`;
}

/** When a generated record was added and last changed, in milliseconds; always before October 2025. */
export function makeTimes(random: Random): { added: number; updated: number } {
  const added = FIRST_DAY + random.int(DAYS * 86_400) * 1_000;
  const updated = added + random.int(86_400) * 1_000;
  return { added, updated };
}
