import { createHash } from 'node:crypto';

/** A stream of choices that is the same for the same seed. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number in [0, below). */
  int(below: number): number;
  pick<Item>(list: readonly Item[]): Item;
  chance(probability: number): boolean;
  hex(digits: number): string;
}

/** The 32-bit mulberry generator, seeded by a hash of the text. */
export function createRandom(seed: string): Random {
  let state = createHash('sha256').update(seed).digest().readUInt32LE();
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (below: number) => Math.floor(next() * below);
  return {
    next,
    int,
    pick(list) {
      const item = list[int(list.length)];
      if (item === undefined) throw new Error('Nothing to pick from');
      return item;
    },
    chance: (probability) => next() < probability,
    hex: (digits) => Array.from({ length: digits }, () => int(16).toString(16)).join(''),
  };
}
