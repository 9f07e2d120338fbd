import { z } from 'zod';

let writing = false;

/** Values that grow from release to release: who reads one it does not know yet takes it for `unknown`. */
export const openEnum = <Known extends Readonly<Record<string, string>>>(
  known: z.ZodEnum<Known>,
  unknown: Known[keyof Known],
) => z.preprocess(knownOr(known, unknown), known);

const knownOr =
  (known: z.ZodType, unknown: string) =>
  (value: unknown): unknown => {
    if (writing || typeof value !== 'string' || known.safeParse(value).success) return value;
    return unknown;
  };

/** The values of a field of an event. One of a later release is read as `unknown`, which nothing acts on. */
export const eventEnum = <Known extends Readonly<Record<string, string>>>(
  known: z.ZodEnum<Known>,
) => z.preprocess(knownOr(known, 'unknown'), z.enum([...known.options, 'unknown']));

/** Parses what is about to be published: here every value has to be a known one. */
export function parseForWriting<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  writing = true;
  try {
    return schema.parse(value);
  } finally {
    writing = false;
  }
}
