import type { FieldDefinition, FieldType, PipedriveObject } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { Failure } from '@manifold/pipedrive';

/** The objects whose custom fields can be made. Leads carry those of deals. */
export const FIELD_OWNERS = ['person', 'organization', 'deal', 'product'] as const;
/** What somebody may name when a field is to be made. */
export const CREATABLE_OBJECTS = [...FIELD_OWNERS, 'lead'] as const satisfies PipedriveObject[];
export type FieldOwnerObject = (typeof FIELD_OWNERS)[number];

export const ownerOf = (object: PipedriveObject): FieldOwnerObject | undefined =>
  object === 'lead' ? 'deal' : FIELD_OWNERS.find((owner) => owner === object);

/** Custom fields of a company over all its objects, by plan. */
export const customFieldCaps = { lite: 30, growth: 100, premium: 300, ultimate: 500 } as const;

/** A limit Pipedrive told by refusing a field. */
export interface LearnedCap {
  /** Custom fields there were when it refused. */
  fields: number;
  learnedAt: Date;
}

/** A company may have moved to another plan since. */
const TRUST_LEARNED_MS = 24 * 3_600_000;

/** Custom fields of a company: leads show those of deals, so they do not count. */
export const countCustomFields = (
  catalogues: ReadonlyMap<PipedriveObject, { fields: readonly FieldDefinition[] }>,
): number =>
  [...catalogues]
    .filter(([object]) => object !== 'lead')
    .reduce((sum, [, { fields }]) => sum + fields.filter(({ custom }) => custom).length, 0);

/**
 * Whether one more field fits. A company that already has more than its plan allows is on another
 * plan than was assumed, so Pipedrive decides.
 */
export function decideRoom(
  count: number,
  { assumed, learned, now }: { assumed: number; learned: LearnedCap | undefined; now: Date },
): { outcome: 'room' } | { outcome: 'full'; cap: number } {
  if (learned && now.getTime() - learned.learnedAt.getTime() < TRUST_LEARNED_MS) {
    return count >= learned.fields ? { outcome: 'full', cap: learned.fields } : { outcome: 'room' };
  }
  return count === assumed ? { outcome: 'full', cap: assumed } : { outcome: 'room' };
}

/** Whether a refusal of Pipedrive means that the plan allows no further field. */
export const saysFull = (failure: Failure): boolean =>
  failure.outcome === 'refused' &&
  failure.status === 403 &&
  (failure.code?.startsWith('feature_capping') ?? false);

export const refuseFull = (cap: number): Refusal =>
  new Refusal('precondition', `The plan of the company allows ${cap} custom fields`, {
    reason: 'field_limit_reached',
    fix: 'Delete a custom field nobody uses, use an existing field, or move the company to a larger plan.',
  });

export type NameDecision =
  /** It is there already: same name, same type. */
  | { outcome: 'exists'; field: FieldDefinition }
  | { outcome: 'taken'; field: FieldDefinition }
  | { outcome: 'free' };

/** Pipedrive would make a second field of the same name without a word. */
export function decideName(
  fields: readonly FieldDefinition[],
  { name, type }: { name: string; type: FieldType },
): NameDecision {
  const same = fields.filter((field) => field.custom && sameText(field.name, name));
  const exact = same.find((field) => field.type === type);
  if (exact !== undefined) return { outcome: 'exists', field: exact };
  return same[0] === undefined ? { outcome: 'free' } : { outcome: 'taken', field: same[0] };
}

export const refuseTaken = ({ code, type }: FieldDefinition): Refusal =>
  new Refusal('conflict', `A field of this name is there already, of the type ${type}`, {
    reason: 'field_name_taken',
    field: 'input.name',
    fix: `Use the field ${code}, or choose another name.`,
  });

/** The labels a field does not have yet, each once. */
export function newLabels(field: FieldDefinition, labels: readonly string[]): string[] {
  return distinctLabels(
    labels,
    field.options?.map(({ label }) => label),
  );
}

/** Each label once, whatever its case and the spaces around it, and none that is known already. */
export function distinctLabels(labels: readonly string[], known: readonly string[] = []): string[] {
  const seen = new Set(known.map(comparable));
  return labels.filter((label) => {
    const isNew = !seen.has(comparable(label));
    seen.add(comparable(label));
    return isNew;
  });
}

const comparable = (text: string): string => text.trim().toLowerCase();
const sameText = (one: string, other: string): boolean => comparable(one) === comparable(other);
