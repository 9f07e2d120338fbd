/** Nobody can write this name, so ours never meets a built-in or a caller. */
export const own = (name: string): string => `~${name}`;

/** The name as it was written. */
export const written = (name: string): string => name.replace(/^~/, '');
