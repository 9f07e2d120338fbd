import type { FieldValue, ReasonCode, WriteStepId } from '@manifold/contracts';
import type { StepEffect, StepState } from '../../tables.ts';

/** How a step came to rest. */
export interface StepEnd {
  state: Extract<StepState, 'applied' | 'no_change' | 'superseded' | 'skipped' | 'parked'>;
  effect?: StepEffect;
  reason?: ReasonCode;
  cause?: string;
  fix?: string;
  record?: {
    id: string;
    updateTime: string | null;
    /** What it is known to hold now; absent or empty: nothing new. */
    fields?: Readonly<Record<string, FieldValue>>;
    /** Deleted since. */
    isGone?: boolean;
  };
  changedKeys?: readonly string[];
  candidates?: readonly string[];
  /** Who took it over. */
  supersededBy?: WriteStepId;
  /** The field Pipedrive named, which the catalogue may not know rightly any more. */
  doubtfulField?: string | undefined;
}
