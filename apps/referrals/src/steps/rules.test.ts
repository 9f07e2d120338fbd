import type { FieldDefinition, MappingRow, MappingSource } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { planDelivery } from './rules.ts';

const countCode = 'c'.repeat(40);
const field = (
  object: 'person' | 'lead',
  code: string,
  type: FieldDefinition['type'],
): FieldDefinition => ({ object, code, name: code, type, custom: code.length === 40 });
const label: FieldDefinition = {
  ...field('lead', 'label_ids', 'set'),
  options: [{ id: 'uuid-1', label: 'Referral' }],
};
const row = (from: string, object: 'person' | 'lead', to: string): MappingRow => ({
  id: `${object}.${to}`,
  source: {
    object: 'referral',
    field: from,
    type: from === 'email' ? 'email' : from === 'referral_count' ? 'number' : 'text',
  },
  target: { object, field: to },
});
const rows = [
  row('first_name', 'person', 'name'),
  row('email', 'person', 'emails'),
  row('campaign_name', 'lead', 'title'),
  row('referral_count', 'lead', countCode),
];
const source = (changes: Partial<MappingSource> = {}): { source: MappingSource } => ({
  source: {
    direction: 'to_pipedrive',
    rows,
    policy: {
      existing: 'overwrite',
      createMissing: true,
      ignoreEmpty: true,
      protected: [],
      protectFilled: false,
    },
    catalogue: [
      field('person', 'name', 'varchar'),
      field('person', 'emails', 'emails'),
      field('lead', 'title', 'varchar'),
      field('lead', countCode, 'double'),
    ],
    ...changes,
  },
});
const fixed = (to: string, value: string | string[]): MappingRow => ({
  id: `default.${to}`,
  source: {
    object: 'constant',
    value,
    type: typeof value === 'string' ? 'text' : 'multiple_options',
  },
  target: { object: 'lead', field: to },
  createOnly: true,
});

const ada = {
  email: 'Ada+1@example.com',
  first_name: 'Ada',
  last_name: null,
  attributes: {},
  code: 'AdA7kQ2x',
  link: 'https://ref.acme.test/AdA7kQ2x',
  referred_by: null,
  referral_count: 0,
};
const campaign = {
  name: 'Spring Invite 2026',
  update_existing: false,
  defaults: { rows: [], catalogue: [] },
};
const stepsOf = (plan: ReturnType<typeof planDelivery>) =>
  plan.outcome === 'send' ? plan.steps : [];

test('a sign-up is a person by e-mail, then a lead of that person (RF-01, RF-08)', () => {
  expect(planDelivery(ada, campaign, source())).toEqual({
    outcome: 'send',
    steps: [
      {
        name: 'person',
        operation: 'upsert',
        object: 'person',
        identity: [{ kind: 'email', value: 'Ada+1@example.com' }],
        existing: 'leave',
        fields: {
          name: 'Ada',
          emails: [{ value: 'Ada+1@example.com', label: 'work', primary: true }],
        },
        createOnlyFields: {},
      },
      {
        name: 'lead',
        operation: 'create',
        object: 'lead',
        identity: [],
        references: { person_id: 'person' },
        guard: 'if_previous_applied',
        fields: { title: 'Spring Invite 2026', [countCode]: 0 },
        createOnlyFields: {},
      },
    ],
  });
});

test.each([
  ['off', false, 'overwrite', 'leave'],
  ['on', true, 'overwrite', 'update'],
  ['on, filling blanks only', true, 'append', 'fill_blanks'],
] as const)('with updating %s an existing person is: %s (RF-21)', (_, isOn, existing, expected) => {
  const copy = source({ policy: { ...source().source.policy, existing } });
  const [person] = stepsOf(planDelivery(ada, { ...campaign, update_existing: isOn }, copy));
  expect(person?.existing).toBe(expected);
});

test('a default counts for new leads only, and a mapped value wins over it (RF-19, RF-20)', () => {
  const defaults = {
    rows: [fixed('label_ids', ['Referral']), fixed('title', 'Default title')],
    catalogue: [label, field('lead', 'title', 'varchar')],
  };
  const [, lead] = stepsOf(planDelivery(ada, { ...campaign, defaults }, source()));

  expect(lead?.fields).not.toHaveProperty('label_ids');
  expect(lead?.fields).toHaveProperty('title', 'Spring Invite 2026');
  expect(lead?.createOnlyFields).toEqual({ label_ids: ['uuid-1'] });
});

test('a field of the form can be the title (RF-17)', () => {
  const copy = source({ rows: [...rows.slice(0, 2), row('company', 'lead', 'title')] });
  const user = { ...ada, attributes: { company: 'Acme' } };

  expect(stepsOf(planDelivery(user, campaign, copy))[1]?.fields).toEqual({ title: 'Acme' });
  expect(planDelivery(ada, campaign, copy)).toMatchObject({
    outcome: 'park',
    reason: 'required_target_missing',
    fix: expect.stringContaining('lead.title'),
  });
});

test('a field of the form never poses as a field every sign-up has', () => {
  const user = { ...ada, attributes: { email: 'eve@example.com' } };
  const [person] = stepsOf(planDelivery(user, campaign, source()));
  expect(person?.fields['emails']).toMatchObject([{ value: ada.email }]);
});

test('a protected field is not written (RF-21)', () => {
  const policy = { ...source().source.policy, protected: [`lead.${countCode}`] };
  const [, lead] = stepsOf(planDelivery(ada, campaign, source({ policy })));
  expect(lead?.fields).toEqual({ title: 'Spring Invite 2026' });
});
