import type { ApiRequest, Handlers } from '../http/api-request.ts';
import { nextCursor, readCursor, readLimit } from '../http/paging.ts';
import { invalidKey, notFound } from '../http/problem.ts';
import { data, page, type Reply } from '../http/reply.ts';
import { isObject, type Json, type JsonObject, parseObject, textOf } from '../json.ts';
import { readId } from '../records/handlers.ts';
import { authorOf, commitChange, requireRecord } from '../records/write.ts';
import { wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';

/** Products attached to deals. A deal with products is worth their sum. */
export const dealProductHandlers: Handlers = {
  'v2 getDealProducts': (request, world) => {
    const id = readId(request);
    requireRecord('deal', id, world);
    return listAttached([id], request, world);
  },
  'v2 getDealsProducts': (request, world) => {
    const ids = (request.query.get('deal_ids') ?? '').split(',').map(Number);
    if (ids.length > 100 || !ids.every(Number.isSafeInteger))
      throw invalidKey('deal_ids', 'Expected 1 to 100 numbers');
    return listAttached(ids, request, world);
  },
  'v2 addDealProduct': addAttached,
  'v2 updateDealProduct': updateAttached,
  'v2 deleteDealProduct': deleteAttached,
};

/** Few hang on one deal, so a page is cut from the sorted whole. */
function listAttached(dealIds: number[], { query }: ApiRequest, { db }: World): Reply {
  const limit = readLimit(query);
  const sort = query.get('sort_by') ?? 'id';
  const start = readCursor(query, 'offset')?.id ?? 0;
  const rows = db.list<{ base: string }>(
    'select base from deal_product where deal_id in (select value from json_each(?)) order by id',
    JSON.stringify(dealIds),
  );
  const items = rows.map(({ base }) => parseObject(base));
  items.sort((a, b) => compare(a[sort] ?? 0, b[sort] ?? 0));
  if (query.get('sort_direction') === 'desc') items.reverse();
  const next = start + limit;
  return page(
    items.slice(start, next).map((item) => JSON.stringify(item)),
    next < items.length ? nextCursor({ field: 'offset', value: next, id: next }) : null,
  );
}

function compare(a: Json, b: Json): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return textOf(a).localeCompare(textOf(b));
}

function addAttached(request: ApiRequest, world: World): Reply {
  const dealId = readId(request);
  const deal = requireRecord('deal', dealId, world);
  const body = isObject(request.body) ? request.body : {};
  const product = requireRecord('product', Number(body.product_id), world);
  if (product.base.is_linkable !== true)
    throw invalidKey('product_id', 'Product cannot be linked to deals');
  const time = wholeSeconds(world.now());
  const empty = {
    id: 0,
    sum: 0,
    tax: product.base.tax ?? 0,
    deal_id: dealId,
    name: product.base.name ?? '',
    product_id: product.id,
    product_variation_id: null,
    order_nr: 0,
    add_time: time,
    update_time: time,
    comments: '',
    currency: deal.base.currency ?? 'EUR',
    discount: 0,
    quantity: 1,
    item_price: 0,
    tax_method: 'inclusive',
    discount_type: 'percentage',
    is_enabled: true,
    billing_frequency: 'one-time',
    billing_frequency_cycles: null,
    billing_start_date: null,
  };
  const made = world.db.transaction(() => {
    const last = world.db.find<{ id: number | null }>('select max(id) as id from deal_product');
    const id = (last?.id ?? 0) + 1;
    return save({ ...empty, ...body, id, order_nr: id }, request, world);
  });
  return data(made, 201);
}

function updateAttached(request: ApiRequest, world: World): Reply {
  const before = requireAttached(request, world);
  const body = isObject(request.body) ? request.body : {};
  if (body.product_id !== undefined) requireRecord('product', Number(body.product_id), world);
  const update_time = wholeSeconds(world.now());
  return data(
    world.db.transaction(() => save({ ...before, ...body, update_time }, request, world)),
  );
}

function deleteAttached(request: ApiRequest, world: World): Reply {
  const before = requireAttached(request, world);
  world.db.transaction(() => {
    world.db.run('delete from deal_product where id = ?', Number(before.id));
    revalue(Number(before.deal_id), request, world);
  });
  return data({ id: Number(before.id) });
}

function requireAttached(request: ApiRequest, world: World): JsonObject {
  const dealId = readId(request);
  requireRecord('deal', dealId, world);
  const sql = 'select base from deal_product where id = ? and deal_id = ?';
  const id = Number(request.params.product_attachment_id);
  const row = world.db.find<{ base: string }>(sql, id, dealId);
  if (row === undefined) throw notFound();
  return parseObject(row.base);
}

function save(item: JsonObject, request: ApiRequest, world: World): JsonObject {
  const kept: JsonObject = { ...item, sum: sumOf(item) };
  world.db.run(
    'insert or replace into deal_product (id, deal_id, product_id, base) values (?, ?, ?, ?)',
    Number(kept.id),
    Number(kept.deal_id),
    Number(kept.product_id),
    JSON.stringify(kept),
  );
  revalue(Number(kept.deal_id), request, world);
  return kept;
}

function sumOf(item: JsonObject): number {
  const number = (value: Json | undefined) => (typeof value === 'number' ? value : 0);
  const full = number(item.item_price) * number(item.quantity);
  const discount = number(item.discount);
  const less = item.discount_type === 'amount' ? discount : (full * discount) / 100;
  return Math.round((full - less) * 100) / 100;
}

/** What a deal is worth by its products; undefined when it has none. */
export function sumOfProducts(dealId: number, { db }: World): number | undefined {
  const sql = 'select base from deal_product where deal_id = ?';
  const items = db.list<{ base: string }>(sql, dealId).map(({ base }) => parseObject(base));
  if (items.length === 0) return undefined;
  const counted = items.filter((item) => item.is_enabled === true);
  return counted.reduce((sum, item) => sum + sumOf(item), 0);
}

/** The deal's own webhook and history tell of its new value. */
function revalue(dealId: number, request: ApiRequest, world: World): void {
  const value = sumOfProducts(dealId, world) ?? 0;
  const before = requireRecord('deal', dealId, world);
  const after = { base: { ...before.base, value }, custom: before.custom };
  commitChange('deal', before, { ...after, author: authorOf(request) }, world);
}
