import type { FieldDefinition, MappingPurpose, MappingRow } from '@manifold/contracts';
import { targetKeyOf } from '@manifold/mapping';
import { createCandidates, knownTargets, type PastChoice } from '../candidates/rules.ts';
import { listSourceFields, type SourceField } from '../fields/rules.ts';
import { type Suggestion, suggestTargets } from '../scoring/rules.ts';

interface Light {
  purpose: MappingPurpose;
  catalogue: readonly FieldDefinition[];
  past: readonly PastChoice[];
}

/** What rows somebody saved say about their fields. */
export const pastChoicesOf = (
  rows: readonly MappingRow[],
  catalogue: readonly FieldDefinition[],
): PastChoice[] => {
  const names = new Map(catalogue.map(({ object, code, name }) => [`${object}.${code}`, name]));
  return rows.flatMap(({ source, target }) => {
    if (!('field' in source)) return [];
    const part = 'part' in source && source.part !== 'list' ? source.part : undefined;
    const { object, field } = source;
    const name = [names.get(`${object}.${field}`) ?? field, part ?? []].flat().join('/');
    return [{ source: { object, field, part, name }, target }];
  });
};

/** Rows that go where the workspace has sent the same field before, as far as nothing else does. */
export function preferPast(rows: readonly MappingRow[], light: Light): MappingRow[] {
  if (light.past.length === 0) return [...rows];
  const sourceOf = sourcesIn(light);
  const candidates = createCandidates([], light.past);
  const taken = new Set(rows.map(({ target }) => targetKeyOf(target)));
  return rows.map((row) => {
    const source = sourceOf(row);
    if (source === undefined || row.required) return row;
    const own = targetKeyOf(row.target);
    taken.delete(own);
    const [best] = suggestTargets(source, { candidates, taken });
    const isBetter = best?.reason === 'CHOSEN_BEFORE' && best.target.object === row.target.object;
    const target = best && isBetter ? best.target : row.target;
    taken.add(targetKeyOf(target));
    return { ...row, id: isBetter ? targetKeyOf(target) : row.id, target };
  });
}

/** How sure each row is that was found without a person's choice. */
export function explainRows(rows: readonly MappingRow[], light: Light): Suggestion[] {
  const sourceOf = sourcesIn(light);
  const known = knownTargets(light.purpose, { ...light, rows: [] });
  const candidates = createCandidates(known, light.past);
  return rows.map((row) => {
    const { target } = row;
    if (row.required) {
      const explanation = 'Every mapping of this purpose needs it.';
      return { target, confidence: 1, reason: 'SAME_NAME', explanation };
    }
    const source = sourceOf(row);
    const found = source ? suggestTargets(source, { candidates, taken: new Set() }) : [];
    const same = found.find((one) => targetKeyOf(one.target) === targetKeyOf(target));
    const explanation = 'It becomes a variable of its own.';
    return same ?? { target, confidence: 0.5, reason: 'NEW_VARIABLE', explanation };
  });
}

function sourcesIn({ purpose, catalogue }: Light): (row: MappingRow) => SourceField | undefined {
  const keyOf = (object: string, field: string, part = '') => `${object}.${field}/${part}`;
  const sources = new Map(
    listSourceFields(purpose, catalogue).map((one) => [
      keyOf(one.object, one.field, one.part),
      one,
    ]),
  );
  return ({ source }) =>
    'field' in source
      ? sources.get(keyOf(source.object, source.field, 'part' in source ? source.part : undefined))
      : undefined;
}
