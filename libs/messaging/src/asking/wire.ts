import { fromWire, Refusal, type RefusalOnWire } from '@manifold/errors';
import { type Msg, NoRespondersError } from '@nats-io/transport-node';
import { z } from 'zod';

/** How an answer travels: the answer, or the refusal. */
export type Wire = { ok: unknown } | { no: RefusalOnWire };

/** Answers a message. */
export const reply = (message: Msg, wire: Wire): void => {
  message.respond(JSON.stringify(wire));
};

/** What another process may send as its refusal. */
export const RefusalWire = z.object({
  kind: z.enum([
    'invalid',
    'unauthenticated',
    'forbidden',
    'not_found',
    'conflict',
    'precondition',
    'limited',
    'unavailable',
  ]),
  message: z.string(),
  reason: z.string(),
  field: z.string().optional(),
  fix: z.string().optional(),
});

/** The refusal as this process's error; zod's optional allows undefined, the wire type does not. */
export const refusalOf = (wire: unknown): Refusal =>
  fromWire(RefusalWire.parse(wire) as RefusalOnWire);

/** Reads a question; refuses one of the wrong shape with the field at fault, never its value. */
export function parseQuestion<Question extends z.ZodType>(
  question: Question,
  message: Msg,
): z.output<Question> {
  const parsed = question.safeParse(readJson(message));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Refusal('invalid', issue?.message ?? 'unreadable', {
    reason: 'invalid_input',
    ...(issue ? { field: issue.path.join('.') } : {}),
  });
}

function readJson(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}

/** Nobody answered: which service, and whether it is there at all. */
export function unanswered(subject: string, cause: unknown): Refusal {
  const service = subject.split('.')[1] ?? 'service';
  const absent = cause instanceof NoRespondersError;
  return new Refusal(
    'unavailable',
    absent
      ? `The ${service} service is not running`
      : `The ${service} service did not answer in time`,
    { reason: 'service_unavailable', fix: 'Try again in a moment.' },
    { cause },
  );
}
