import { createHash, randomBytes } from 'node:crypto';

const PREFIX_LENGTH = 10;

/** A new key: `mf_` and 43 random url-safe characters (256 bits). */
export const createSecret = (): string => `mf_${randomBytes(32).toString('base64url')}`;

/** What is kept of a key. Not salted: a key is random, and it is looked up by its hash. */
export const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

/** What is shown of a key. */
export const prefixOf = (key: string): string => key.slice(0, PREFIX_LENGTH);
