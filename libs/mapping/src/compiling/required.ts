import type { MappingProblem, MappingRow, TargetKey } from '@manifold/contracts';
import { targetKeyOf } from './rows.ts';

/** A target a mapping must fill. */
export interface RequiredTarget {
  target: TargetKey;
  /** As people know it, for the message. */
  name: string;
  /** Only rows from here count; without `fields` any field of it does. */
  from?: { object: MappingRow['source']['object']; fields?: readonly string[] };
}

/** One problem per target that no row fills on every record; create-only rows do not count. */
export function checkRequiredTargets(
  rows: readonly MappingRow[],
  required: readonly RequiredTarget[],
): MappingProblem[] {
  return required
    .filter((one) => !rows.some((row) => fills(row, one)))
    .map(({ target, name, from }) => ({
      rowId: null,
      code: 'required_target_missing',
      target,
      cause: `Nothing is mapped to ${name}.`,
      fix: `Add a row from ${sourceName(from)} to ${name}.`,
    }));
}

function fills({ source, target, createOnly }: MappingRow, required: RequiredTarget): boolean {
  const isPart = 'part' in target && target.part !== undefined;
  if (createOnly || isPart || targetKeyOf(target) !== required.target) return false;
  if (required.from === undefined) return true;
  if (source.object !== required.from.object) return false;
  return !('field' in source) || (required.from.fields?.includes(source.field) ?? true);
}

const sourceName = (from: RequiredTarget['from']): string =>
  from === undefined ? 'any field' : (from.fields?.join(' or ') ?? `any ${from.object} field`);

/** What a referral campaign must map before anybody can be delivered (RF-12, RF-13, RF-14). */
export const referralRequiredTargets = (outcome: 'lead' | 'deal'): RequiredTarget[] => [
  {
    target: 'person.name',
    name: 'Person name',
    from: { object: 'referral', fields: ['first_name'] },
  },
  {
    target: 'person.emails',
    name: 'Person e-mail',
    from: { object: 'referral', fields: ['email'] },
  },
  { target: `${outcome}.title`, name: `${outcome} title`, from: { object: 'referral' } },
];
