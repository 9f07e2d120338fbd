import { z } from 'zod';

let writing = false;

/** Values that grow from release to release: who reads one it does not know yet takes it for `unknown`. */
export const openEnum = <Known extends Readonly<Record<string, string>>>(
  known: z.ZodEnum<Known>,
  unknown: Known[keyof Known],
) =>
  z.preprocess((value) => {
    if (writing || typeof value !== 'string' || known.safeParse(value).success) return value;
    return unknown;
  }, known);

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
