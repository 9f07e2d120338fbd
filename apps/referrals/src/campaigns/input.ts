import {
  CampaignId,
  ConnectionId,
  FieldCode,
  FieldMappingId,
  referralFields,
} from '@manifold/contracts';
import { boundedText, IdempotencyKey } from '@manifold/subgraph';
import { z } from 'zod';

const text = boundedText(10_000);

const Value = z
  .object({
    text: text.nullish(),
    number: z.number().nullish(),
    boolean: z.boolean().nullish(),
    options: z.array(text).max(500).nullish(),
    money: z
      .object({ amount: z.coerce.number(), currency: z.string().regex(/^[A-Za-z]{3}$/) })
      .nullish(),
  })
  .transform((forms, context) => {
    const given = Object.values(forms).filter((form) => form !== undefined && form !== null);
    if (given.length !== 1) context.addIssue('exactly one form of the value is needed');
    return forms.money ?? forms.options ?? forms.boolean ?? forms.number ?? forms.text ?? null;
  });

const Default = z.object({
  object: z.enum(['PERSON', 'LEAD']).nullish(),
  field: FieldCode,
  value: Value,
});

const FormField = z.object({
  key: FieldCode.refine(
    (key) => !Object.hasOwn(referralFields, key),
    'every sign-up has this field',
  ),
  label: boundedText(200).trim().min(1),
  required: z
    .boolean()
    .nullish()
    .transform((required) => required ?? false),
});

const SaveInput = z.object({
  id: CampaignId.nullish(),
  name: boundedText(200).trim().min(1),
  connectionId: ConnectionId,
  mappingId: FieldMappingId.nullish(),
  outcome: z.enum(['LEAD']).nullish(),
  updateExisting: z.boolean().nullish(),
  defaults: z.array(Default).max(100).nullish(),
  formFields: z
    .array(FormField)
    .max(50)
    .refine(
      (fields) => new Set(fields.map(({ key }) => key)).size === fields.length,
      'two fields have the same key',
    )
    .nullish(),
  linkBase: boundedText(500)
    .pipe(z.url({ protocol: /^https?$/ }))
    .nullish(),
  idempotencyKey: IdempotencyKey,
});
export type SaveInput = z.output<typeof SaveInput>;

export const SaveArguments = z.object({ input: SaveInput });
export const StateArguments = z.object({ input: z.object({ id: CampaignId }) });
