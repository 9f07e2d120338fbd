import type { ChangeTally } from '../rows/store.ts';
import { type ChangeState, stateOf } from '../rules.ts';
import type { ChangeEffect } from '../tables.ts';

/** The tallies of one set, summed up. */
export interface Totals {
  rows: number;
  effects: Record<ChangeEffect, number>;
  states: Record<ChangeState, number>;
  priceTokens: number;
  costTokens: number;
  reasons: { reason: string; count: number }[];
}

const noEffects: Record<ChangeEffect, number> = {
  create: 0,
  update: 0,
  delete: 0,
  merge: 0,
  link: 0,
  none: 0,
};
const noStates: Record<ChangeState, number> = {
  PENDING: 0,
  PLANNED: 0,
  APPLYING: 0,
  APPLIED: 0,
  UNCHANGED: 0,
  SKIPPED: 0,
  PARKED: 0,
  CANCELLED: 0,
};

export function sumUp(tallies: readonly ChangeTally[]): Totals {
  const totals: Totals = {
    rows: 0,
    effects: { ...noEffects },
    states: { ...noStates },
    priceTokens: 0,
    costTokens: 0,
    reasons: [],
  };
  const reasons = new Map<string, number>();
  for (const tally of tallies) {
    totals.rows += tally.count;
    if (tally.effect !== null) totals.effects[tally.effect] += tally.count;
    totals.states[stateOf(tally)] += tally.count;
    totals.priceTokens += tally.price_tokens;
    totals.costTokens += tally.cost_tokens;
    const reason = tally.step_reason ?? tally.reason;
    if (reason !== null) reasons.set(reason, (reasons.get(reason) ?? 0) + tally.count);
  }
  totals.reasons = [...reasons].map(([reason, count]) => ({ reason, count }));
  return totals;
}

/** Changes that came to rest, one way or another. */
export const settledOf = ({ states }: Totals): number =>
  states.APPLIED + states.UNCHANGED + states.SKIPPED + states.PARKED + states.CANCELLED;
