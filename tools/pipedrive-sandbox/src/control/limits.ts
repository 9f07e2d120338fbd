import { refused } from '../http/problem.ts';
import type { JsonObject } from '../json.ts';
import { isPlan, type LimitRules, type Limits } from '../limits/limits.ts';
import { readNumber } from './values.ts';

const NUMBERS = ['apiToken', 'oauth', 'search', 'dailyTokens', 'blockAfter'] as const;

/** `{plan: "off"}`, or a plan with seats and overrides; an override of null or "off" lifts that limit. */
export function readLimits(body: JsonObject): Limits | 'off' {
  const { plan } = body;
  if (plan === 'off') return 'off';
  if (!isPlan(plan)) throw refused(400, 'plan must be off, lite, growth, premium or ultimate');
  const overrides: Partial<LimitRules> = {};
  for (const key of NUMBERS) {
    const value = body[key];
    if (value === undefined) continue;
    overrides[key] = value === null || value === 'off' ? null : readNumber(body, key, 0);
  }
  if (typeof body.dailyHeaders === 'boolean') overrides.dailyHeaders = body.dailyHeaders;
  return { plan, seats: readNumber(body, 'seats', 1), ...overrides };
}
