import { MappingRowTarget, type VariableType } from '@manifold/contracts';
import { isConvertible, targetKeyOf } from '@manifold/mapping';
import {
  type Candidates,
  type Known,
  namesOf,
  type PastChoice,
  wordsOf,
} from '../candidates/rules.ts';
import type { SourceField } from '../fields/rules.ts';

export type SuggestionReason = 'CHOSEN_BEFORE' | 'SAME_NAME' | 'SIMILAR_NAME' | 'NEW_VARIABLE';

/** A target an unmatched field may get. */
export interface Suggestion {
  target: MappingRowTarget;
  /** 0 to 1. */
  confidence: number;
  reason: SuggestionReason;
  explanation: string;
}

export interface Scoring {
  candidates: Candidates;
  /** Targets other rows fill: two rows never share one (WX-31). */
  taken: ReadonlySet<string>;
}

const MOST = 5;
const OTHER_TYPE = 0.8;
const LEAST_SIMILAR = 0.5;

/** The targets that suit a field best, by past choices, name and type. */
export function suggestTargets(source: SourceField, scoring: Scoring): Suggestion[] {
  const { type } = source;
  if (type === undefined) return [];
  const found = new Map<string, Suggestion>();
  const keep = (one: Suggestion | undefined) => {
    if (one === undefined || scoring.taken.has(targetKeyOf(one.target))) return;
    const key = targetKeyOf(one.target);
    if ((found.get(key)?.confidence ?? 0) < one.confidence) found.set(key, one);
  };
  const side = sideOf(source);
  const { known, past } = scoring.candidates(source);
  for (const one of known) {
    if (side === undefined || one.target.object === side) keep(byName(source, type, one));
  }
  for (const choice of past) keep(byPast(source, type, choice));
  if (found.size === 0 && side !== undefined) keep(newVariable(source, type, side));
  return [...found.values()]
    .toSorted((one, other) => other.confidence - one.confidence)
    .slice(0, MOST);
}

/** Persons become contacts, organizations accounts; what a form gives may go anywhere. */
const sideOf = ({ object }: SourceField): 'contact' | 'account' | undefined => {
  if (object === 'referral') return undefined;
  return object === 'organization' ? 'account' : 'contact';
};

const fitOf = (from: VariableType, to: VariableType): number => {
  if (from === to) return 1;
  return isConvertible(from, to) ? OTHER_TYPE : 0;
};

const rounded = (confidence: number): number => Math.round(confidence * 100) / 100;

function byName(source: SourceField, type: VariableType, known: Known): Suggestion | undefined {
  const fit = fitOf(type, known.type);
  if (fit === 0) return undefined;
  const names = namesOf(source);
  const { target } = known;
  const said = fit === 1 ? '' : `; its ${type} is converted to ${known.type}`;
  if (known.names.some((one) => names.includes(one))) {
    const explanation = `It has the same name${said}.`;
    return { target, confidence: rounded(0.9 * fit), reason: 'SAME_NAME', explanation };
  }
  const alike = Math.max(...known.names.map((one) => likeness(names[0] ?? '', one)));
  if (alike < LEAST_SIMILAR) return undefined;
  const explanation = `It has a similar name${said}.`;
  return { target, confidence: rounded(0.75 * alike * fit), reason: 'SIMILAR_NAME', explanation };
}

/** The share of words two names have in common. */
function likeness(one: string, other: string): number {
  const words = wordsOf(one);
  const others = wordsOf(other);
  const common = words.filter((word) => others.includes(word)).length;
  return common === 0 ? 0 : common / (words.length + others.length - common);
}

function byPast(
  source: SourceField,
  type: VariableType,
  { source: then, target }: PastChoice,
): Suggestion | undefined {
  const isSame = then.field === source.field;
  const fit = 'type' in target ? fitOf(type, target.type) : 1;
  if (fit === 0) return undefined;
  return {
    target,
    confidence: rounded((isSame ? 0.95 : 0.85) * fit),
    reason: 'CHOSEN_BEFORE',
    explanation: `${isSame ? 'This field' : 'A field of this name'} goes there in another mapping.`,
  };
}

function newVariable(
  source: SourceField,
  type: VariableType,
  object: 'contact' | 'account',
): Suggestion | undefined {
  const [field] = namesOf(source);
  const target = MappingRowTarget.safeParse({ object, field, type }).data;
  if (target === undefined) return undefined;
  const explanation = 'Nothing like it exists: it would be a new variable.';
  return { target, confidence: 0.3, reason: 'NEW_VARIABLE', explanation };
}
