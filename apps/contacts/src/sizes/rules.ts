import type { ObjectSize, Sizes, SyncedObject } from '../store.ts';

/** Records a run asks for in one page, and what a page costs. */
export const PAGE_SIZE = 500;
const PAGE_PRICE = 10;

const OBJECTS: readonly SyncedObject[] = ['organization', 'person'];
const UNREAD: ObjectSize = { count: null, highestId: null, done: 0, lastId: 0, finished: false };

const sizeOf = (sizes: Sizes, object: SyncedObject): ObjectSize => sizes[object] ?? UNREAD;

/** The objects of which nobody said yet how many there are. */
export const unsizedObjects = (sizes: Sizes): SyncedObject[] =>
  OBJECTS.filter((object) => {
    const { count, highestId, finished } = sizeOf(sizes, object);
    return count === null && highestId === null && !finished;
  });

export type Told = Pick<ObjectSize, 'count' | 'highestId'>;

/** Adds what connections told; what is known stays. */
export function addTold(sizes: Sizes, told: Partial<Record<SyncedObject, Told>>): Sizes {
  const unsized = unsizedObjects(sizes);
  const added = unsized.map((object) => [object, { ...sizeOf(sizes, object), ...told[object] }]);
  return { ...sizes, ...Object.fromEntries(added) };
}

/** Adds a page of an object; its last page makes the size exact. */
export function addPage(
  sizes: Sizes,
  object: SyncedObject,
  page: { ids: readonly string[]; isLast: boolean },
): Sizes {
  const before = sizeOf(sizes, object);
  const ids = page.ids.map(Number).filter(Number.isSafeInteger);
  const after: ObjectSize = {
    ...before,
    done: before.done + page.ids.length,
    lastId: Math.max(before.lastId, ...ids),
    finished: page.isLast,
  };
  return { ...sizes, [object]: after };
}

/**
 * Records of one object, as far as it can be told. They are read in order of id, so what was found
 * up to the last id stands for what lies between it and the highest; exact when all is read.
 */
function estimateSize({ count, highestId, done, lastId, finished }: ObjectSize): number | null {
  if (finished) return done;
  if (count !== null) return Math.max(count, done);
  if (highestId === null) return null;
  const found = lastId === 0 ? highestId : Math.round((done * highestId) / lastId);
  return Math.max(found, done);
}

/** Records of all objects; null while that of one is unknown. */
export function estimateTotal(sizes: Sizes): number | null {
  const each = OBJECTS.map((object) => estimateSize(sizeOf(sizes, object)));
  return each.reduce((sum, size) => (sum === null || size === null ? null : sum + size), 0);
}

/** API tokens of the whole run: what was spent, and the pages to come; null while a size is unknown. */
export function estimatePrice(run: { sizes: Sizes; cost_tokens: number }): number | null {
  let price = run.cost_tokens;
  for (const object of OBJECTS) {
    const of = sizeOf(run.sizes, object);
    const size = estimateSize(of);
    if (size === null) return null;
    // one that is not finished costs a page at least, if only to see that it is empty
    if (!of.finished) price += PAGE_PRICE * Math.max(1, Math.ceil((size - of.done) / PAGE_SIZE));
  }
  return price;
}
