import type { JsonObject } from '../json.ts';
import { emptyLead } from '../leads/write.ts';
import { wholeSeconds } from '../times.ts';
import type { Random } from './random.ts';
import { type KnownIds, makeAddress, makePhone, makeTimes } from './values.ts';
import { COMPANY_FORMS, COMPANY_KINDS, COMPANY_WORDS, FIRST_NAMES, LAST_NAMES } from './words.ts';

export function makeOrganization(id: number, random: Random, ids: KnownIds): JsonObject {
  const { added, updated } = makeTimes(random);
  const words = [
    random.pick(COMPANY_WORDS),
    random.pick(COMPANY_KINDS),
    random.pick(COMPANY_FORMS),
  ];
  const site = `${words[0]}-${words[1]}-${id}.example`.toLowerCase();
  return {
    id,
    name: words.join(' ').trim(),
    owner_id: random.pick(ids.users),
    add_time: wholeSeconds(new Date(added)),
    update_time: wholeSeconds(new Date(updated)),
    address: random.chance(0.7) ? makeAddress(random) : null,
    is_deleted: false,
    visible_to: 3,
    label_ids: [],
    website: random.chance(0.5) ? `https://${site}` : null,
    linkedin: null,
    industry: null,
    annual_revenue: random.chance(0.3) ? random.int(10_000_000) : null,
    employee_count: random.chance(0.5) ? 1 + random.int(5_000) : null,
  };
}

export function makePerson(
  id: number,
  random: Random,
  { ids, orgRange }: { ids: KnownIds; orgRange: { first: number; count: number } },
): JsonObject {
  const { added, updated } = makeTimes(random);
  const first = random.pick(FIRST_NAMES);
  const last = random.chance(0.95) ? random.pick(LAST_NAMES) : null;
  const linked = orgRange.count > 0 && random.chance(0.85);
  return {
    id,
    name: [first, last].filter(Boolean).join(' '),
    first_name: first,
    last_name: last,
    owner_id: random.pick(ids.users),
    org_id: linked ? orgRange.first + random.int(orgRange.count) : null,
    add_time: wholeSeconds(new Date(added)),
    update_time: wholeSeconds(new Date(updated)),
    emails: makeEmails(id, random),
    phones: random.chance(0.7) ? makePhones(random) : [],
    is_deleted: false,
    visible_to: random.pick([3, 3, 3, 7]),
    label_ids: [],
    picture_id: null,
  };
}

/** Most have one address, some several or none, some in capitals. */
function makeEmails(id: number, random: Random): JsonObject[] {
  const count = random.pick([0, 1, 1, 1, 1, 1, 2, 3]);
  return Array.from({ length: count }, (_, at) => {
    const plain = `person${id}${at === 0 ? '' : `.${at}`}@mail${random.int(50)}.example`;
    return {
      value: random.chance(0.05) ? plain.toUpperCase() : plain,
      primary: at === 0,
      label: at === 0 ? 'work' : random.pick(['home', 'other']),
    };
  });
}

function makePhones(random: Random): JsonObject[] {
  return Array.from({ length: 1 + random.int(2) }, (_, at) => ({
    value: makePhone(random),
    primary: at === 0,
    label: at === 0 ? 'work' : 'mobile',
  }));
}

export function makeLead(random: Random, ids: KnownIds, personId: number | null): JsonObject {
  const { added, updated } = makeTimes(random);
  const hex = random.hex(32);
  const id = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20),
  ];
  const lead = emptyLead(id.join('-'), random.pick(ids.users), new Date(added).toISOString());
  return {
    ...lead,
    title: `${random.pick(COMPANY_WORDS)} ${random.pick(COMPANY_KINDS)} lead`,
    person_id: personId,
    value: random.chance(0.5) ? { amount: random.int(10_000), currency: 'EUR' } : null,
    update_time: new Date(updated).toISOString(),
  };
}
