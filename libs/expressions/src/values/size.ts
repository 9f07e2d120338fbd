import { RECORD_LIMITS } from '../limits.ts';

/** About what JSON would take, or undefined when the record is over a limit. Stops at the first. */
export function sizeOf(record: unknown): number | undefined {
  let bytes = 0;
  const fits = (value: unknown, depth: number): boolean => {
    bytes += typeof value === 'string' ? value.length + 2 : 8;
    if (bytes > RECORD_LIMITS.bytes || depth > RECORD_LIMITS.depth) return false;
    if (typeof value !== 'object' || value === null) return true;
    if (Array.isArray(value)) {
      return (
        value.length <= RECORD_LIMITS.listItems && value.every((item) => fits(item, depth + 1))
      );
    }
    return Object.entries(value).every(([key, member]) => {
      bytes += key.length + 3;
      return fits(member, depth + 1);
    });
  };
  return fits(record, 0) ? bytes : undefined;
}
