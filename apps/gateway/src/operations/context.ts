import type { Identity } from '@manifold/contracts';

/** What is known about one request while it is answered. */
export interface OperationContext {
  caller: Identity;
  correlationId: string;
  /** Aborts when the operation has had its time. */
  signal: AbortSignal;
}
