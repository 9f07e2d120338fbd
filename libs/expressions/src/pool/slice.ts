import type { VariableType } from '@manifold/contracts';
import type { Outcome } from '../compile.ts';
import type { FailureCode } from '../failures.ts';
import type { Variables } from '../schema.ts';

/** One expression of a batch. */
export interface BatchExpression {
  readonly source: string;
  readonly resultType?: VariableType | undefined;
}

export type BatchRecord = Readonly<Record<string, unknown>>;

/**
 * What a thread is given. A cell is one expression for one record; they are numbered record by
 * record. `skipped` are cells that ended a thread before, with what their outcome is.
 */
export interface Slice {
  readonly variables: Variables;
  readonly expressions: readonly BatchExpression[];
  readonly records: readonly BatchRecord[];
  readonly from: number;
  readonly skipped: ReadonlyMap<number, FailureCode>;
}

/** What a thread says: outcomes in the order of cells, some at a time. */
export interface Said {
  readonly outcomes: readonly Outcome[];
  readonly isDone: boolean;
}

/** In memory shared with the thread: how many cells were begun. */
export const BEGUN = 0;
