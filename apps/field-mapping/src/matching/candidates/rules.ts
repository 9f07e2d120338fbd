import type {
  FieldDefinition,
  MappingPurpose,
  MappingRow,
  MappingRowTarget,
  VariableType,
} from '@manifold/contracts';
import { targetKeyOf, variableTypeOf } from '@manifold/mapping';
import type { SourceField } from '../fields/rules.ts';
import { keyOfName } from '../rules.ts';

/** What somebody of the workspace once chose for a field. */
export interface PastChoice {
  source: { object: string; field: string; part: string | undefined; name: string };
  target: MappingRowTarget;
}

/** What values of one kind can go to. */
export interface Known {
  target: MappingRowTarget;
  type: VariableType;
  names: readonly string[];
}

/** The targets that may suit a field; all others share nothing with it. */
export type Candidates = (source: SourceField) => { known: Known[]; past: PastChoice[] };

/** A word that stands in more names says nothing. */
const MOST_WITH_A_WORD = 50;

/** Looks candidates up by field, name and word, so that a large catalogue stays quick. */
export function createCandidates(
  known: readonly Known[],
  choices: readonly PastChoice[],
): Candidates {
  const byName = groupBy(known, ({ names }) => names);
  const byWord = groupBy(known, ({ names }) => names.flatMap(wordsOf));
  const past = groupBy(choices, ({ source }) => [
    keyOf(source, source.field),
    keyOf(source, keyOfName(source.name)),
  ]);
  return (source) => {
    const names = namesOf(source);
    const words = wordsOf(names[0] ?? '').map((word) => byWord.get(word) ?? []);
    const alike = words.filter((one) => one.length <= MOST_WITH_A_WORD).flat();
    const named = names.flatMap((name) => byName.get(name) ?? []);
    const chosen = [source.field, keyOfName(source.label)].flatMap(
      (name) => past.get(keyOf(source, name)) ?? [],
    );
    return { known: [...new Set([...named, ...alike])], past: [...new Set(chosen)] };
  };
}

const keyOf = ({ object, part }: { object: string; part: string | undefined }, name: string) =>
  `${object}|${part ?? ''}|${name}`;

/** Each target once per key: what is chosen again and again is one choice. */
function groupBy<One extends { target: MappingRowTarget }>(
  all: readonly One[],
  keysOf: (one: One) => readonly string[],
): Map<string, One[]> {
  const groups = new Map<string, Map<string, One>>();
  for (const one of all) {
    for (const key of keysOf(one)) {
      const group = groups.get(key) ?? new Map<string, One>();
      groups.set(key, group.set(targetKeyOf(one.target), one));
    }
  }
  return new Map([...groups].map(([key, group]) => [key, [...group.values()]]));
}

/** The different words of a name that is a key. */
export const wordsOf = (name: string): string[] => [
  ...new Set(name.split('_').filter((word) => word !== '')),
];

/** What it may be called: the first of a list like one of it, any other part after its field. */
export function namesOf({ label, field, part }: SourceField): string[] {
  if (part === undefined) return [keyOfName(label), field];
  if (part !== 'primary') return [keyOfName(label)];
  return [keyOfName(label.slice(0, label.lastIndexOf('/'))), field.replace(/s$/, '')];
}

/** Variables every workspace has, whoever mapped what. */
const usualVariables: MappingRowTarget[] = [
  { object: 'contact', field: 'email', type: 'email' },
  { object: 'contact', field: 'phone', type: 'phone' },
  { object: 'contact', field: 'name', type: 'text' },
  { object: 'contact', field: 'first_name', type: 'text' },
  { object: 'contact', field: 'last_name', type: 'text' },
  { object: 'account', field: 'name', type: 'text' },
  { object: 'account', field: 'website', type: 'text' },
];

/** Everything values can go to: variables that exist, or fields of Pipedrive that can be written. */
export function knownTargets(
  purpose: MappingPurpose,
  {
    rows,
    past,
    catalogue,
  }: {
    rows: readonly MappingRow[];
    past: readonly PastChoice[];
    catalogue: readonly FieldDefinition[];
  },
): Known[] {
  if (purpose === 'REFERRALS_TO_PIPEDRIVE') return catalogue.flatMap(fieldTarget);
  const targets = [...usualVariables, ...past.map((one) => one.target), ...rows.map(targetOf)];
  const whole = targets.filter((target) => 'type' in target && target.part === undefined);
  const apart = new Map(whole.map((target) => [targetKeyOf(target), target]));
  return [...apart.values()].flatMap((target) =>
    'type' in target ? [{ target, type: target.type, names: [target.field] }] : [],
  );
}

const targetOf = ({ target }: MappingRow): MappingRowTarget => target;

function fieldTarget(field: FieldDefinition): Known[] {
  const type = variableTypeOf(field);
  if (type === undefined || field.readOnly) return [];
  const { object, code, name } = field;
  return [{ target: { object, field: code }, type, names: [code, keyOfName(name)] }];
}
