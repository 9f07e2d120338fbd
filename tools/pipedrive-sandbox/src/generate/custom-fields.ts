import { createHash } from 'node:crypto';
import type { NumberedField } from '../fields/catalogue.ts';
import { CREATABLE_TYPES, type FieldEntity } from '../fields/field.ts';
import { wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';

type CreatableType = (typeof CREATABLE_TYPES)[number];

const NAMES: Record<CreatableType, string> = {
  varchar: 'Job title',
  varchar_auto: 'Favourite brand',
  text: 'Background',
  double: 'Score',
  monetary: 'Yearly spend',
  date: 'First contact',
  daterange: 'Contract period',
  time: 'Best time to call',
  timerange: 'Office hours',
  enum: 'Tier',
  set: 'Interests',
  phone: 'Direct line',
  address: 'Delivery address',
  user: 'Account manager',
  org: 'Partner organization',
  people: 'Introduced by',
};

const OPTIONS: Partial<Record<CreatableType, string[]>> = {
  enum: ['Gold', 'Silver', 'Bronze', 'Välja arvatud', 'Prospect'],
  set: ['Newsletter', 'Events', 'Beta', 'Späti', 'Wholesale', 'Support'],
};

/** One custom field of every type that can be created; a second run with the same seed finds those of the first. */
export function ensureCustomFields(
  world: World,
  entity: FieldEntity,
  seed: string,
): NumberedField[] {
  return CREATABLE_TYPES.map((type) => {
    const code = createHash('sha1').update(`${seed} ${entity} ${type}`).digest('hex');
    const known = world.fields.find(entity, code);
    if (known !== undefined) return known;
    const labels = OPTIONS[type];
    const first = labels === undefined ? 0 : world.fields.takeOptionIds(labels.length);
    return world.fields.insert(entity, {
      code,
      name: NAMES[type],
      type,
      description: null,
      options: labels?.map((label, at) => ({ id: first + at, label })) ?? null,
      custom: true,
      optional: false,
      addTime: wholeSeconds(world.now()),
      settings: {},
    });
  });
}
