import type { FieldValue, PipedriveObject, PipedriveRecord } from '@manifold/contracts';
import { isJson, type Json } from '../normalising/shapes.ts';

/**
 * Lists an update replaces as a whole, of which one entry is a field: the first price of a product,
 * the primary participant of an activity.
 */
const shownEntries: Partial<Record<PipedriveObject, { code: string; list: string }>> = {
  product: { code: 'prices', list: 'prices' },
  activity: { code: 'person_id', list: 'participants' },
};

// beside the record, so that it goes nowhere a record goes
const lists = new WeakMap<PipedriveRecord, readonly Json[]>();

/** Keeps the list of a record that was read, for the update that may follow. */
export function keepList(record: PipedriveRecord, raw: Json): PipedriveRecord {
  const list = raw[shownEntries[record.object]?.list ?? ''];
  if (Array.isArray(list)) lists.set(record, list.filter(isJson));
  return record;
}

export const keptList = (record: PipedriveRecord): readonly Json[] | undefined => lists.get(record);

/** True when writing these fields replaces a list that is not known: read the record first. */
export function needsList(
  record: PipedriveRecord,
  fields: Readonly<Record<string, unknown>>,
): boolean {
  const shown = shownEntries[record.object];
  return shown !== undefined && shown.code in fields && !lists.has(record);
}

type Price = { value: number; currency: string };

/** All prices with this one first, in place of another in its currency. */
export function withPrice(prices: readonly Json[], { value, currency }: Price): Json[] {
  const same = prices.find((price) => price.currency === currency);
  const others = prices.filter((price) => price !== same);
  return [{ ...written(same ?? {}), price: value, currency }, ...others.map(written)];
}

const PRICE_KEYS = ['price', 'currency', 'cost', 'direct_cost', 'notes'];

/** What of a price may be sent; a price is read with more. */
const written = (price: Json): Json =>
  Object.fromEntries(
    Object.entries(price).filter(([key, value]) => PRICE_KEYS.includes(key) && value !== null),
  );

/**
 * All participants with this one as the primary; who was it before stays only where the new one was
 * a participant already, so that writing the former one again restores the list.
 */
export function withPrimary(participants: readonly Json[], person: FieldValue): Json[] {
  const known = participants.some(({ person_id: id }) => id === person);
  const others = participants.filter(
    (one) => one.person_id !== person && (known || !isPrimary(one)),
  );
  return [
    { person_id: person, primary: true },
    ...others.map(({ person_id: id }) => ({ person_id: id, primary: false })),
  ];
}

export const isPrimary = ({ primary, primary_flag }: Json): boolean =>
  primary === true || primary_flag === true;
