import { compile } from '@manifold/mapping';
import { mapByHand } from './mapping/by-hand/map-by-hand.ts';
import { mappingSource } from './mapping/mapping-source.ts';
import { createPersons, type Person } from './mapping/records.ts';
import type { Figure } from './measuring/figures.ts';

const PERSONS = 2_000;
const WARM_UP = 10;
const ROUNDS = 25;
/** So that a round takes tens of milliseconds, and a pause of the collector is small in it. */
const PASSES = 8;

/** A compiled mapping of a person with 40 fields, beside the same written by hand. */
export function measureMapping(signal: AbortSignal): Promise<Figure[]> {
  const persons = createPersons(PERSONS, 7);
  const { map } = compile(mappingSource);
  const compiled = (person: Person): unknown => map({ object: 'person', fields: person });
  for (let round = 0; round < WARM_UP; round += 1) {
    timeOf(compiled, persons);
    timeOf(mapByHand, persons);
  }
  const rounds: { compiledMs: number; byHandMs: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    signal.throwIfAborted();
    // who goes first changes, so that neither always cleans up after the other
    const compiledFirst = round % 2 === 0 ? timeOf(compiled, persons) : undefined;
    const byHandMs = timeOf(mapByHand, persons);
    rounds.push({ compiledMs: compiledFirst ?? timeOf(compiled, persons), byHandMs });
  }
  return Promise.resolve(figuresOf(rounds));
}

/** Keeps the last result where the optimiser cannot leave it out. */
let last: unknown;

/** Of the processor, not of the clock: others may use the machine at the same time. */
function timeOf(mapOne: (person: Person) => unknown, persons: readonly Person[]): number {
  const before = process.threadCpuUsage();
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const person of persons) last = mapOne(person);
  }
  const { user, system } = process.threadCpuUsage(before);
  if (last === undefined) throw new Error('Nothing was mapped.');
  return (user + system) / 1_000;
}

const perRecord = (ms: number): number => (ms * 1_000) / (PERSONS * PASSES);

const figuresOf = (rounds: readonly { compiledMs: number; byHandMs: number }[]): Figure[] => [
  {
    name: 'a record, compiled',
    unit: 'µs',
    samples: rounds.map(({ compiledMs }) => perRecord(compiledMs)),
  },
  {
    name: 'a record, by hand',
    unit: 'µs',
    samples: rounds.map(({ byHandMs }) => perRecord(byHandMs)),
  },
  {
    name: 'speed of compiled, to by hand',
    unit: 'ratio',
    samples: rounds.map(({ compiledMs, byHandMs }) => byHandMs / compiledMs),
    goal: { of: 'median', atLeast: 0.5 },
  },
];
