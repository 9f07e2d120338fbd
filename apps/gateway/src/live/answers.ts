import { type Refusal, refusals } from '@manifold/errors';
import { z } from 'zod';

/** One answer to the twin, as it is sent, and what follows from it. */
export interface TwinAnswer {
  json: string;
  /** `gone`: there is nothing to follow. `refused`: nor will there be for this caller. `later`: asked again soon. */
  outcome: 'shown' | 'gone' | 'refused' | 'later';
}

const Result = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .array(z.object({ extensions: z.object({ code: z.string() }).partial().optional() }))
    .default([]),
});

/** What is worth asking again by itself. */
const PASSING: ReadonlySet<string | undefined> = new Set([
  refusals.unavailable.graphqlCode,
  refusals.limited.graphqlCode,
  'INTERNAL_SERVER_ERROR',
]);

/** Reads what the graph answered. */
export function answerOf(json: string): TwinAnswer {
  const { data, errors } = Result.parse(JSON.parse(json));
  const isEmpty = Object.values(data ?? {}).every((value) => value === null);
  if (!isEmpty) return { json, outcome: 'shown' };
  if (errors.length === 0) return { json, outcome: 'gone' };
  const isPassing = errors.some(({ extensions }) => PASSING.has(extensions?.code));
  return { json, outcome: isPassing ? 'later' : 'refused' };
}

/** A refusal of our own, in the form of an answer. */
export const refusedAnswer = (refusal: Refusal, correlationId: string): TwinAnswer => {
  const { graphqlCode: code } = refusals[refusal.kind];
  const extensions = { code, ...refusal.detail, correlationId };
  return {
    json: JSON.stringify({ errors: [{ message: refusal.message, extensions }] }),
    outcome: PASSING.has(code) ? 'later' : 'refused',
  };
};
