const ZONES = Intl.supportedValuesOf('timeZone');
const IDS = new Map(ZONES.map((name, at) => [name, at + 1]));

export function isTimeZone(name: string): boolean {
  return name === 'UTC' || IDS.has(name);
}

/** A number of the account's own; Pipedrive publishes no list of them. */
export function timeZoneId(name: string): number {
  return IDS.get(name) ?? 0;
}
