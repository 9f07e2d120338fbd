import { randomUUID } from 'node:crypto';

/** The caller's correlation id when it is one, else a new one. */
export const correlationIdOf = (given: string | undefined): string =>
  given !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
