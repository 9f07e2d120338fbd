import { emptyActivity } from '../activities/activity.ts';
import { emptyDeal } from '../deals/deal.ts';
import type { JsonObject } from '../json.ts';
import { emptyProduct } from '../products/product.ts';
import { wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';
import type { Random } from './random.ts';
import { makeTimes } from './values.ts';
import { COMPANY_KINDS, COMPANY_WORDS, CURRENCIES, SENTENCES } from './words.ts';

interface Range {
  first: number;
  count: number;
}

/** What generated records may hang on. */
export interface Links {
  users: number[];
  orgRange: Range;
  personRange: Range;
  dealRange?: Range;
  stages: { id: number; pipeline_id: number }[];
}

export function listStages({ db }: World): Links['stages'] {
  return db.list('select id, pipeline_id from stage where deleted = 0 order by id');
}

/** One in the range, and now and then none. */
export function pickFrom(random: Random, range: Range | undefined): number | null {
  if (range === undefined || range.count === 0 || random.chance(0.2)) return null;
  return range.first + random.int(range.count);
}

function times(random: Random) {
  const { added, updated } = makeTimes(random);
  return { add_time: wholeSeconds(new Date(added)), update_time: wholeSeconds(new Date(updated)) };
}

export function makeDeal(id: number, random: Random, links: Links): JsonObject {
  const stage = random.pick(links.stages);
  const status = random.pick(['open', 'open', 'open', 'won', 'lost']);
  const base = { ...emptyDeal(random.pick(links.users)), id, ...times(random) };
  const closed = status === 'open' ? null : base.update_time;
  const day = closed?.slice(0, 10) ?? null;
  return {
    ...base,
    title: `${random.pick(COMPANY_WORDS)} ${random.pick(COMPANY_KINDS)} deal`,
    value: random.int(50_000),
    currency: random.pick(CURRENCIES),
    person_id: pickFrom(random, links.personRange),
    org_id: pickFrom(random, links.orgRange),
    stage_id: stage.id,
    pipeline_id: stage.pipeline_id,
    status,
    close_time: closed,
    won_time: status === 'won' ? closed : null,
    lost_time: status === 'lost' ? closed : null,
    local_close_date: day,
    local_won_date: status === 'won' ? day : null,
    local_lost_date: status === 'lost' ? day : null,
    lost_reason: status === 'lost' ? random.pick(['Price', 'Timing', 'Competitor']) : null,
  };
}

export function makeProduct(id: number, random: Random, links: Links): JsonObject {
  const word = random.pick(COMPANY_WORDS);
  const price = { product_id: id, price: random.int(10_000) / 100, currency: 'EUR' };
  return {
    ...emptyProduct(random.pick(links.users)),
    id,
    ...times(random),
    name: `${word} ${random.pick(COMPANY_KINDS)} set`,
    code: random.chance(0.8) ? `SKU-${id}` : null,
    unit: random.pick(['', 'pcs', 'kg']),
    prices: [{ ...price, cost: 0, direct_cost: null, notes: '' }],
  };
}

export function makeActivity(id: number, random: Random, links: Links): JsonObject {
  const personId = pickFrom(random, links.personRange);
  const done = random.chance(0.5);
  const base = { ...emptyActivity(random.pick(links.users)), id, ...times(random) };
  const type = random.pick(['call', 'meeting', 'task', 'email']);
  return {
    ...base,
    subject: `${type} about ${random.pick(COMPANY_KINDS)}`,
    type,
    deal_id: pickFrom(random, links.dealRange),
    org_id: pickFrom(random, links.orgRange),
    person_id: personId,
    participants: personId === null ? [] : [{ person_id: personId, primary: true }],
    due_date: base.update_time.slice(0, 10),
    due_time: random.chance(0.5) ? '09:30:00' : null,
    done,
    marked_as_done_time: done ? base.update_time : null,
    note: random.pick(SENTENCES) || null,
  };
}
