/** `2024-01-01T00:00:00Z`, the form of REST v2: UTC and whole seconds. */
export function wholeSeconds(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

/** `2024-01-01 00:00:00`, the older form of REST v1. */
export function spacedTime(at: Date): string {
  return at.toISOString().slice(0, 19).replace('T', ' ');
}

/** Reads an RFC 3339 time with whole seconds; fractions are refused as Pipedrive refuses them. */
export function readWholeSeconds(text: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

export function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** The day whose budget a request spends; the sandbox's day turns at midnight UTC. */
export function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}
