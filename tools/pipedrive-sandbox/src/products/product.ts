import { isObject, type JsonObject } from '../json.ts';
import {
  applyLinks,
  applyText,
  applyVisibility,
  assign,
  type BuildContext,
  type Kind,
} from '../records/kind.ts';

const PLAIN = [
  'code',
  'description',
  'unit',
  'tax',
  'category',
  'is_linkable',
  'billing_frequency',
  'billing_frequency_cycles',
];
const PRICE_KEYS = ['price', 'currency', 'cost', 'direct_cost', 'notes'];

export const product: Kind = {
  empty: ({ userId }) => emptyProduct(userId),
  apply: applyProduct,
  identify(base) {
    const prices = Array.isArray(base.prices) ? base.prices.filter(isObject) : [];
    base.prices = prices.map((price) => ({ ...price, product_id: base.id ?? null }));
  },
};

export function emptyProduct(ownerId: number): JsonObject {
  return {
    id: 0,
    name: '',
    code: null,
    description: null,
    unit: '',
    tax: 0,
    category: null,
    is_linkable: true,
    is_deleted: false,
    visible_to: 3,
    owner_id: ownerId,
    add_time: '',
    update_time: '',
    billing_frequency: 'one-time',
    billing_frequency_cycles: null,
    prices: [priceOf(0, { price: 0, currency: 'EUR' })],
  };
}

function applyProduct(
  base: JsonObject,
  body: JsonObject,
  _: JsonObject | undefined,
  context: BuildContext,
): void {
  applyText(base, body, 'name', context);
  assign(base, body, PLAIN);
  applyLinks(base, body, ['owner_id'], context);
  applyVisibility(base, body, context);
  if (body.prices !== undefined) applyPrices(base, body, context);
}

/** The whole list is replaced; one price per currency. */
function applyPrices(base: JsonObject, body: JsonObject, { issues }: BuildContext): void {
  const prices = Array.isArray(body.prices) ? body.prices.filter(isObject) : [];
  const refuse = (message: string) => issues.push({ key: 'prices', message });
  for (const price of prices) {
    const stray = Object.keys(price).find((key) => !PRICE_KEYS.includes(key));
    if (stray !== undefined) refuse(`Parameter '${stray}' is not allowed for this request`);
    if (typeof price.price !== 'number') refuse('Expected number in price');
    if (typeof price.currency !== 'string' || !/^[A-Z]{3}$/.test(price.currency))
      refuse('Expected a currency code');
  }
  if (new Set(prices.map(({ currency }) => currency)).size < prices.length)
    refuse('Only one price per currency is allowed');
  base.prices = prices.map((price) => priceOf(Number(base.id), price));
}

function priceOf(productId: number, price: JsonObject): JsonObject {
  const { price: amount = 0, currency = 'EUR', cost = 0, notes = '' } = price;
  return {
    product_id: productId,
    price: amount,
    currency,
    cost,
    direct_cost: price.direct_cost ?? null,
    notes,
  };
}
