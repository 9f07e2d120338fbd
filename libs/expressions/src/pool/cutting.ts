import type { Outcome } from '../compile.ts';
import { failure } from '../failures.ts';
import { sizeOf } from '../values/size.ts';
import type { BatchRecord } from './slice.ts';

/** What one message to a thread may hold: its copy has to fit the thread's memory. */
const SLICE_BYTES = 4_194_304;
const SLICE_RECORDS = 500;

interface Part {
  /** Those small enough to be sent. */
  readonly records: BatchRecord[];
  /** Rows for all records of the part, from the outcomes of those that were sent. */
  readonly arrange: (outcomes: readonly Outcome[], expressions: number) => Outcome[][];
}

/** Cuts a batch into parts, and measures records only as each part is asked for. */
export function* cut(records: readonly BatchRecord[]): Generator<Part> {
  let part: (BatchRecord | undefined)[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = sizeOf(record);
    if (part.length >= SLICE_RECORDS || bytes + (size ?? 0) > SLICE_BYTES) {
      yield partOf(part);
      [part, bytes] = [[], 0];
    }
    part.push(size === undefined ? undefined : record);
    bytes += size ?? 0;
  }
  if (part.length > 0) yield partOf(part);
}

function partOf(part: readonly (BatchRecord | undefined)[]): Part {
  return {
    records: part.filter((record) => record !== undefined),
    arrange(outcomes, expressions) {
      let sent = 0;
      return part.map((record) =>
        record === undefined
          ? Array.from({ length: expressions }, () => failure('record_too_large'))
          : outcomes.slice(sent, (sent += expressions)),
      );
    },
  };
}
