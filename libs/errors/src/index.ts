/** Every way the system says no, and what that means at its two edges. */
export const refusals = {
  invalid: { graphqlCode: 'BAD_USER_INPUT', worthRetrying: false },
  unauthenticated: { graphqlCode: 'UNAUTHENTICATED', worthRetrying: false },
  forbidden: { graphqlCode: 'FORBIDDEN', worthRetrying: false },
  // an event can overtake the one that creates its subject, so absence may heal
  not_found: { graphqlCode: 'NOT_FOUND', worthRetrying: true },
  conflict: { graphqlCode: 'CONFLICT', worthRetrying: false },
  // the request is fine, the world is not ready for it: a disabled connection, a missing mapping
  precondition: { graphqlCode: 'PRECONDITION_FAILED', worthRetrying: false },
  limited: { graphqlCode: 'RATE_LIMITED', worthRetrying: true },
  unavailable: { graphqlCode: 'SERVICE_UNAVAILABLE', worthRetrying: true },
} as const;

export type RefusalKind = keyof typeof refusals;

/** What a caller needs to act on a refusal: a stable reason code, the input at fault, the way out. */
export interface RefusalDetail {
  /** Stable snake_case code, listed in `reasons` of `@manifold/contracts`. */
  reason: string;
  /** Path of the input field at fault, e.g. `input.email`. */
  field?: string;
  /** What the caller can do, as one sentence. */
  fix?: string;
}

/** A refusal as it travels between services. */
export interface RefusalOnWire extends RefusalDetail {
  kind: RefusalKind;
  message: string;
}

/** An expected "no". Anything else that is thrown is a bug. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly kind: RefusalKind;
  readonly detail: RefusalDetail;

  constructor(kind: RefusalKind, message: string, detail: RefusalDetail, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.detail = detail;
  }
}

/** True for errors that will come out the same however often the work is repeated. */
export function isHopeless(error: unknown): boolean {
  if (error instanceof Refusal) return !refusals[error.kind].worthRetrying;
  return error instanceof Error && error.name === 'ZodError';
}

/** A refusal as plain JSON, for replies between services. */
export function toWire(refusal: Refusal): RefusalOnWire {
  return { kind: refusal.kind, message: refusal.message, ...refusal.detail };
}

/** The refusal another service answered with, as an error of this process. */
export function fromWire({ kind, message, ...detail }: RefusalOnWire): Refusal {
  return new Refusal(kind, message, detail);
}
