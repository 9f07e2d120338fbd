const LONGEST_MESSAGE = 300;
const MOST_VALUES = 500;

/** The texts inside a body or query, longest first, so that a message can be cleared of them. */
export function textsIn(value: unknown, found: string[] = []): string[] {
  if (found.length >= MOST_VALUES) return found;
  if (typeof value === 'string' && value.trim().length > 1) found.push(value);
  else if (Array.isArray(value)) for (const item of value) textsIn(item, found);
  else if (value !== null && typeof value === 'object') {
    for (const item of Object.values(value)) textsIn(item, found);
  }
  return found;
}

/** A message of Pipedrive's without anything we sent, e-mail addresses or long opaque strings. */
export function redact(message: string, sentValues: readonly string[]): string {
  let clean = message.slice(0, 4 * LONGEST_MESSAGE);
  const byLength = sentValues.toSorted((a, b) => b.length - a.length);
  for (const value of byLength) clean = clean.replaceAll(value, '[value]');
  return clean
    .replace(/[^\s'"<>@]{1,64}@[^\s'"<>@]{1,255}/g, '[e-mail]')
    .replace(/[A-Za-z0-9+/_=-]{41,}/g, '[redacted]')
    .slice(0, LONGEST_MESSAGE);
}
