import { resolve } from 'node:path';

/** The repository's root, whatever folder a command was typed in. */
export const ROOT = resolve(import.meta.dirname, '../../..');
