import type { FieldValue, IdentityKey } from '@manifold/contracts';
import type { RecordObject } from '@manifold/pipedrive';
import type { createBystander } from './bystander.ts';
import { type Custom, makeCustom } from './custom-fields.ts';

export const writtenObjects = [
  'person',
  'organization',
  'deal',
  'lead',
  'activity',
  'note',
  'product',
] as const satisfies readonly RecordObject[];

type Fields = Record<string, FieldValue>;
type Bystander = ReturnType<typeof createBystander>;

/** A record as we are asked for it, and the same as Pipedrive itself shows it. */
interface Sample {
  fields: Fields;
  shown: object;
}

export interface Samples {
  made: Sample;
  /** Some fields of it with other values. */
  changed: Sample;
  /** Keys it is known by; none where only its id in Pipedrive can say which one is meant. */
  keys: IdentityKey[];
}

/** Records others stand at. */
interface Standing {
  person: number;
  deal: number;
}

/** Makes the custom fields, and the records that leads, activities and notes stand at. */
export async function prepareSamples(bystander: Bystander) {
  const custom = {
    person: await makeCustom(bystander, 'personFields'),
    organization: await makeCustom(bystander, 'organizationFields'),
    deal: await makeCustom(bystander, 'dealFields'),
    product: await makeCustom(bystander, 'productFields'),
  };
  const person = await bystander.create('person', { name: 'Stands here' });
  const deal = await bystander.create('deal', { title: 'Stands here' });
  const at: Standing = { person: Number(person.id), deal: Number(deal.id) };
  return (object: RecordObject, name: string): Samples => {
    switch (object) {
      case 'person':
        return personSamples(custom.person, name);
      case 'organization':
        return organizationSamples(custom.organization, name);
      case 'deal':
        return dealSamples(custom.deal, name);
      case 'lead':
        return leadSamples(custom.deal, name, at);
      case 'activity':
        return activitySamples(name, at);
      case 'note':
        return noteSamples(name, at);
      case 'product':
        return productSamples(custom.product, name);
    }
  };
}

const euro = (value: number) => ({ value, currency: 'EUR' });

/** Custom values as v2 takes and shows them: a text, a choice, a date and money. */
function customSample(custom: Custom, name: string): Sample {
  const fields = {
    [custom.key]: name,
    [custom.tier]: custom.gold,
    [custom.since]: '2026-02-28',
    [custom.worth]: euro(1200.5),
  };
  return { fields, shown: { custom_fields: fields } };
}

function customChange({ tier, silver, worth }: Custom): Sample {
  const fields = { [tier]: silver, [worth]: euro(7) };
  return { fields, shown: { custom_fields: fields } };
}

const join = (one: Sample, other: Sample): Sample => ({
  fields: { ...one.fields, ...other.fields },
  shown: { ...one.shown, ...other.shown },
});
const same = (fields: Fields): Sample => ({ fields, shown: fields });

function personSamples(custom: Custom, name: string): Samples {
  const email = `${name}@example.test`;
  const emails = [{ value: email, label: 'work', primary: true }];
  return {
    made: join(same({ name, emails }), customSample(custom, name)),
    changed: join(same({ name: `${name} II` }), customChange(custom)),
    keys: [{ kind: 'email', value: email }],
  };
}

const organizationSamples = (custom: Custom, name: string): Samples => ({
  made: join(same({ name, visible_to: 3 }), customSample(custom, name)),
  changed: join(same({ visible_to: 1 }), customChange(custom)),
  keys: [{ kind: 'name', value: name }],
});

function dealSamples(custom: Custom, name: string): Samples {
  const plain = { title: name, expected_close_date: '2026-12-31' };
  return {
    made: join(
      {
        fields: { ...plain, value: euro(99.5) },
        shown: { ...plain, value: 99.5, currency: 'EUR' },
      },
      customSample(custom, name),
    ),
    changed: join(
      {
        fields: { status: 'won', value: { value: 12, currency: 'USD' } },
        shown: { status: 'won', value: 12, currency: 'USD' },
      },
      customChange(custom),
    ),
    keys: [{ kind: 'field', field: custom.key, value: name }],
  };
}

/** v1 shows custom values at the top, a choice as text and the currency of money beside it. */
function leadSamples(custom: Custom, name: string, { person }: Standing): Samples {
  const { key, tier, since, worth, gold, silver } = custom;
  const plain = { title: name, person_id: person, expected_close_date: '2026-12-31' };
  return {
    made: {
      fields: { ...plain, value: euro(99.5), ...customSample(custom, name).fields },
      shown: {
        ...plain,
        value: { amount: 99.5, currency: 'EUR' },
        ...{ [key]: name, [tier]: String(gold), [since]: '2026-02-28' },
        ...{ [worth]: 1200.5, [`${worth}_currency`]: 'EUR' },
      },
    },
    changed: {
      fields: { title: `${name} II`, value: euro(12), ...customChange(custom).fields },
      shown: {
        title: `${name} II`,
        value: { amount: 12, currency: 'EUR' },
        ...{ [tier]: String(silver), [worth]: 7, [`${worth}_currency`]: 'EUR' },
      },
    },
    keys: [{ kind: 'field', field: key, value: name }],
  };
}

/** Who takes part is written as a list, of which the first is the person. */
function activitySamples(name: string, { person, deal }: Standing): Samples {
  const due = { due_date: '2026-05-01', due_time: '15:00:00', duration: '00:30:00' };
  const plain = { subject: name, type: 'call', deal_id: deal, ...due };
  return {
    made: {
      fields: { ...plain, person_id: person },
      shown: { ...plain, participants: [{ person_id: person, primary: true }] },
    },
    changed: same({ subject: `${name} II`, due_date: '2026-05-02', done: true }),
    keys: [],
  };
}

const noteSamples = (name: string, { deal }: Standing): Samples => ({
  made: {
    fields: { content: name, deal_id: deal, pinned_to_deal_flag: true },
    shown: { content: name, deal_id: deal },
  },
  changed: same({ content: `${name} II` }),
  keys: [],
});

function productSamples(custom: Custom, name: string): Samples {
  const plain = { name, code: name, unit: 'box', tax: 19 };
  return {
    made: join(
      {
        fields: { ...plain, prices: euro(5) },
        shown: { ...plain, prices: [{ price: 5, currency: 'EUR' }] },
      },
      customSample(custom, name),
    ),
    changed: join(
      { fields: { prices: euro(6) }, shown: { prices: [{ price: 6, currency: 'EUR' }] } },
      customChange(custom),
    ),
    keys: [{ kind: 'field', field: 'code', value: name }],
  };
}
