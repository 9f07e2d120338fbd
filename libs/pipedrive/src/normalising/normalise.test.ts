import {
  type FieldDefinition,
  FieldType,
  type FieldValue,
  PipedriveRecord,
} from '@manifold/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseRecord, normaliseValue, normaliseWebhook } from '../index.ts';

const address = {
  value: 'Pärnu mnt 10, Tallinn',
  country: 'Estonia',
  admin_area_level_1: 'Harju maakond',
  admin_area_level_2: null,
  locality: 'Tallinn',
  sublocality: null,
  route: 'Pärnu mnt',
  street_number: '10',
  subpremise: null,
  postal_code: '10148',
  formatted_address: null,
};

interface Shapes {
  type: FieldType;
  /** As REST v2, REST v1 (on a lead) and a webhook show it. */
  v2: unknown;
  v1: (code: string) => Record<string, unknown>;
  webhook: unknown;
  value: FieldValue;
}

const same = (type: FieldType, value: string | number): Shapes => ({
  type,
  v2: value,
  v1: (code) => ({ [code]: value }),
  webhook: { type, value },
  value,
});

const pointer = (type: FieldType): Shapes => ({ ...same(type, 7), webhook: { type, id: 7 } });

const shapes: Shapes[] = [
  same('varchar', 'Initech'),
  same('varchar_auto', 'Initech'),
  same('text', 'line\nline'),
  same('double', 12.5),
  same('phone', '+372 555'),
  same('date', '2026-02-28'),
  pointer('user'),
  pointer('org'),
  pointer('people'),
  {
    type: 'monetary',
    v2: { value: 500, currency: 'EUR' },
    v1: (code) => ({ [code]: 500, [`${code}_currency`]: 'EUR' }),
    webhook: { type: 'monetary', value: 500, currency: 'EUR' },
    value: { value: 500, currency: 'EUR' },
  },
  {
    type: 'enum',
    v2: 123,
    v1: (code) => ({ [code]: '123' }),
    webhook: { type: 'enum', id: 123 },
    value: 123,
  },
  {
    type: 'set',
    v2: [123, 456],
    v1: (code) => ({ [code]: '123,456' }),
    webhook: { type: 'set', values: [{ id: 123 }, { id: 456 }] },
    value: [123, 456],
  },
  {
    type: 'daterange',
    v2: { value: '2026-01-01', until: '2026-12-31' },
    v1: (code) => ({ [code]: '2026-01-01', [`${code}_until`]: '2026-12-31' }),
    webhook: { type: 'daterange', from: '2026-01-01', until: '2026-12-31' },
    value: { value: '2026-01-01', until: '2026-12-31' },
  },
  {
    type: 'time',
    v2: { value: '09:00:00', timezone_id: 277, timezone_name: 'Europe/Tallinn' },
    v1: (code) => ({ [code]: '09:00:00', [`${code}_timezone_id`]: 277 }),
    webhook: { type: 'time', value: '09:00:00', timezone_id: 277 },
    value: { value: '09:00:00', timezoneId: 277 },
  },
  {
    type: 'timerange',
    v2: { value: '09:00:00', until: '17:00:00', timezone_id: 277, timezone_name: 'Europe/Tallinn' },
    v1: (code) => ({
      [code]: '09:00:00',
      [`${code}_until`]: '17:00:00',
      [`${code}_timezone_id`]: 277,
    }),
    webhook: { type: 'timerange', from: '09:00:00', until: '17:00:00', timezone_id: 277 },
    value: { value: '09:00:00', until: '17:00:00', timezoneId: 277 },
  },
  {
    type: 'address',
    v2: address,
    v1: (code) =>
      Object.fromEntries(
        Object.entries(address).map(([part, text]) => [
          part === 'value' ? code : `${code}_${part}`,
          text,
        ]),
      ),
    webhook: { type: 'address', ...address },
    value: address,
  },
];

const code = 'c'.repeat(40);
const definition = (object: 'person' | 'lead', type: FieldType): FieldDefinition => ({
  object,
  code,
  name: 'Field',
  type,
  custom: true,
});
const webhook = (entity: string, state: object, more: object = {}) => ({
  meta: {
    id: 'd1f1',
    action: 'change',
    entity,
    entity_id: '8',
    company_id: '1',
    timestamp: '2026-01-02T03:04:05.678Z',
    ...more,
  },
  data: state,
  previous: null,
});
const recordOf = (body: unknown, definitions: FieldDefinition[] = []) => {
  const reading = normaliseWebhook(body, definitions);
  return reading.outcome === 'understood' ? reading.event.record : undefined;
};

describe('one record, however it came', () => {
  it.each(shapes)(
    'a $type is the same from REST v2 and from a webhook',
    ({ type, v2, webhook: hook, value }) => {
      const rest = { id: 8, name: 'Ada', visible_to: 3, update_time: '2026-01-02T03:04:05Z' };
      const hooked = { ...rest, visible_to: '3', custom_fields: { [code]: hook } };
      for (const definitions of [[], [definition('person', type)]]) {
        const record = normaliseRecord(
          'person',
          { ...rest, custom_fields: { [code]: v2 } },
          definitions,
        );
        expect(record.fields[code]).toEqual(value);
        expect(recordOf(webhook('person', hooked), definitions)).toEqual(record);
        expect(PipedriveRecord.parse(record)).toEqual(record);
      }
    },
  );

  it.each(shapes)(
    'a $type on a lead is the same from REST v1 and from a webhook',
    ({ type, v1, webhook: hook, value }) => {
      const rest = {
        id: 'adf21080-0e10-11eb-879b-05d71fb426ec',
        title: 'T',
        value: { amount: 9, currency: 'USD' },
      };
      const definitions = [definition('lead', type)];
      const record = normaliseRecord('lead', { ...rest, ...v1(code) }, definitions);
      expect(record.fields).toMatchObject({ [code]: value, value: { value: 9, currency: 'USD' } });
      const body = webhook(
        'lead',
        { ...rest, custom_fields: { [code]: hook } },
        { entity_id: rest.id },
      );
      expect(recordOf(body, definitions)).toEqual(record);
    },
  );

  it.each(shapes)('an empty $type is null from both', ({ type }) => {
    const empty = { id: 8, custom_fields: { [code]: null } };
    const record = normaliseRecord('person', empty, [definition('person', type)]);
    expect(record.fields[code]).toBeNull();
    expect(recordOf(webhook('person', empty))).toEqual(record);
  });

  it('custom fields v1 leaves out are empty; those a webhook does not name are not known', () => {
    const definitions = [definition('lead', 'varchar')];
    expect(normaliseRecord('lead', { id: 'u' }, definitions).fields).toEqual({
      id: 'u',
      [code]: null,
    });
    expect(recordOf(webhook('lead', { id: 'u' }, { entity_id: 'u' }), definitions)?.fields).toEqual(
      { id: 'u' },
    );
  });

  it('the single label of a webhook says nothing about all labels', () => {
    expect(recordOf(webhook('person', { id: 8, label: 5 }))?.fields).toEqual({ id: 8 });
  });

  it('e-mails keep labels and order; without a primary one the first is', () => {
    const emails = [
      { value: 'a@x.test', label: 'home' },
      { value: '', label: 'work' },
      { value: 'b@x.test', primary: false },
    ];
    expect(normaliseRecord('person', { id: 1, emails }).fields.emails).toEqual([
      { value: 'a@x.test', label: 'home', primary: true },
      { value: 'b@x.test', label: 'work', primary: false },
    ]);
  });

  it('the money of a deal is its value and currency together', () => {
    expect(normaliseRecord('deal', { id: 1, value: 200, currency: 'USD' }).fields).toEqual({
      id: 1,
      value: { value: 200, currency: 'USD' },
    });
  });

  it('times are UTC in one form, deletions known in each version', () => {
    const v1 = {
      id: 1,
      add_time: '2019-12-09 13:59:21',
      update_time: '2026-01-01T00:00:00.000Z',
      active_flag: false,
    };
    expect(normaliseRecord('note', v1)).toMatchObject({
      addTime: '2019-12-09T13:59:21Z',
      updateTime: '2026-01-01T00:00:00Z',
      deleted: true,
    });
    expect(normaliseRecord('person', { id: 1, is_deleted: true }).deleted).toBe(true);
  });

  it('option labels asked for along with ids do no harm', () => {
    const labelled = { id: 1, custom_fields: { [code]: [{ id: 1, label: 'One' }] } };
    expect(normaliseRecord('person', labelled).fields[code]).toEqual([1]);
  });

  it('no value of any type makes it throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FieldType.options), fc.anything(), (type, raw) => {
        const value = normaliseValue(type, raw);
        expect(value === undefined).toBe(false);
      }),
    );
  });
});

it('an instant as a number is of seconds, or of milliseconds where those would be far away', () => {
  expect(normaliseValue('datetime', 1_767_323_045)).toBe('2026-01-02T03:04:05Z');
  expect(normaliseValue('datetime', 1_767_323_045_000)).toBe('2026-01-02T03:04:05Z');
});
