import type { FieldValue, MappingSource, ReasonCode, WriteStep } from '@manifold/contracts';
import { compile, existingRuleOf, fieldsToWrite, isEmpty } from '@manifold/mapping';
import type { z } from 'zod';
import type { Campaign, MappingCopy, ReferralUser } from '../store.ts';

/** What is sent to Pipedrive for a sign-up, or why nothing can be. */
export type DeliveryPlan =
  | { outcome: 'send'; steps: z.input<typeof WriteStep>[] }
  | { outcome: 'park'; reason: ReasonCode; fix: string };

type SignedUp = Pick<
  ReferralUser,
  | 'email'
  | 'first_name'
  | 'last_name'
  | 'attributes'
  | 'code'
  | 'link'
  | 'referred_by'
  | 'referral_count'
>;
type Settings = Pick<Campaign, 'name' | 'update_existing' | 'defaults'>;

/** The person first, then a lead that points at it and comes only if the person was written (A11). */
export function planDelivery(
  user: SignedUp,
  campaign: Settings,
  copy: Pick<MappingCopy, 'source'>,
): DeliveryPlan {
  const { person, lead, existing } = mapSignUp(user, campaign, copy);
  const missing = [
    ...lacking(person, ['name', 'emails']).map((field) => `person.${field}`),
    ...lacking(lead, ['title']).map((field) => `lead.${field}`),
  ];
  if (missing.length > 0) {
    return {
      outcome: 'park',
      reason: 'required_target_missing',
      fix: `This sign-up gives no value for ${missing.join(', ')}. Give the row a default or another source, publish the mapping, then use retryDelivery.`,
    };
  }
  return {
    outcome: 'send',
    steps: [
      {
        name: 'person',
        operation: 'upsert',
        object: 'person',
        identity: [{ kind: 'email', value: user.email }],
        existing,
        ...person,
      },
      {
        name: 'lead',
        operation: 'create',
        object: 'lead',
        identity: [],
        references: { person_id: 'person' },
        guard: 'if_previous_applied',
        ...lead,
      },
    ],
  };
}

function mapSignUp(user: SignedUp, campaign: Settings, copy: Pick<MappingCopy, 'source'>) {
  const source = withDefaults(copy.source, campaign.defaults);
  const mapped = compile(source).map({ object: 'referral', fields: fieldsOf(user, campaign) });
  const write = (object: 'person' | 'lead') => ({
    fields: fieldsToWrite({ object, fields: mapped.values[object] ?? {}, policy: source.policy }),
    createOnlyFields: fieldsToWrite({
      object,
      fields: mapped.createOnlyValues[object] ?? {},
      policy: source.policy,
    }),
  });
  return {
    person: write('person'),
    lead: write('lead'),
    existing: campaign.update_existing ? existingRuleOf(source.policy) : ('leave' as const),
  };
}

/** A row of the mapping wins over a default for the same field (RF-20). */
const withDefaults = (
  source: MappingSource,
  { rows, catalogue }: Campaign['defaults'],
): MappingSource => ({
  ...source,
  rows: [...source.rows, ...rows],
  // of two definitions of one field the mapping's is newer
  catalogue: [...catalogue, ...source.catalogue],
});

const fieldsOf = (user: SignedUp, campaign: Settings): Record<string, unknown> => ({
  ...user.attributes,
  first_name: user.first_name,
  last_name: user.last_name,
  email: user.email,
  campaign_name: campaign.name,
  referral_link: user.link,
  referral_code: user.code,
  referral_count: user.referral_count,
  converted_count: 0,
  source: user.referred_by === null ? 'Direct' : 'Referral',
});

type Written = { fields: Record<string, FieldValue>; createOnlyFields: Record<string, FieldValue> };

const lacking = ({ fields, createOnlyFields }: Written, needed: readonly string[]): string[] =>
  needed.filter((field) => isEmpty(fields[field]) && isEmpty(createOnlyFields[field]));
