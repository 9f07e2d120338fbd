import { refused } from '../http/problem.ts';
import type { JsonObject } from '../json.ts';

export function readText(body: JsonObject, key: string, fallback?: string): string {
  const value = body[key] ?? fallback;
  if (typeof value !== 'string' || value === '') throw refused(400, `${key} must be a text`);
  return value;
}

export function readTexts(body: JsonObject, key: string): string[] {
  const value = body[key];
  if (!Array.isArray(value)) throw refused(400, `${key} must be a list of texts`);
  return value.map((item) => {
    if (typeof item !== 'string') throw refused(400, `${key} must be a list of texts`);
    return item;
  });
}

const MOST = 10_000_000;

export function readNumber(body: JsonObject, key: string, fallback: number): number {
  const value = body[key] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw refused(400, `${key} must be a whole number`);
  if (value > MOST && key !== 'userId' && key !== 'ms') throw refused(400, `${key} is too large`);
  return value;
}
