import type { FieldValue } from '@manifold/contracts';
import { describe, expect, it } from 'vitest';
import { completeCatalogue, normaliseField, toRequestBody } from './index.ts';

const code = 'c'.repeat(40);
const address = {
  value: 'Tallinn',
  country: 'Estonia',
  admin_area_level_1: null,
  admin_area_level_2: null,
  locality: 'Tallinn',
  sublocality: null,
  route: null,
  street_number: null,
  subpremise: null,
  postal_code: null,
  formatted_address: null,
};

describe('a catalogue entry', () => {
  it('has today’s code and a type that tells the shape of the value', () => {
    const v2 = (field_code: string, field_type: string) => ({
      field_code,
      field_name: 'N',
      field_type,
      is_custom_field: false,
    });
    expect(normaliseField('person', v2('email', 'varchar'))).toMatchObject({
      code: 'emails',
      type: 'emails',
    });
    expect(normaliseField('person', v2('add_time', 'date'))).toMatchObject({
      type: 'datetime',
      readOnly: true,
    });
    expect(normaliseField('person', v2('cc_email', 'varchar'))).toBeUndefined();
  });

  it('is added for fields every account has, not for those of a feature that may be off', () => {
    const codes = completeCatalogue('person', []).map((field) => field.code);
    expect(codes).toEqual(
      expect.arrayContaining(['name', 'first_name', 'emails', 'phones', 'org_id']),
    );
    expect(codes).not.toContain('job_title');
    const listed = normaliseField('person', {
      field_code: 'job_title',
      field_name: 'Job title',
      field_type: 'varchar',
    });
    const complete = completeCatalogue('person', listed === undefined ? [] : [listed]);
    expect(complete.find((field) => field.code === 'job_title')).toMatchObject({
      name: 'Job title',
    });
  });

  it('of v1 is understood, its subfields left out', () => {
    const v1 = {
      id: 2,
      key: code,
      name: 'Type',
      field_type: 'enum',
      edit_flag: true,
      options: [{ id: '190', label: 'Private' }],
    };
    expect(normaliseField('lead', v1)).toEqual({
      object: 'lead',
      code,
      name: 'Type',
      type: 'enum',
      custom: true,
      readOnly: false,
      options: [{ id: 190, label: 'Private' }],
    });
    expect(
      normaliseField('lead', { ...v1, key: `${code}_currency`, is_subfield: true }),
    ).toBeUndefined();
  });

  it('of a type Pipedrive adds later is kept, its type unknown', () => {
    const later = {
      field_code: code,
      field_name: 'N',
      field_type: 'hologram',
      is_custom_field: true,
    };
    expect(normaliseField('deal', later)).toMatchObject({ type: 'unknown' });
  });
});

describe('a body to write', () => {
  it('nests custom fields for v2, sends the text of an address alone, and leaves out what cannot be written', () => {
    const fields: Record<string, FieldValue> = {
      name: 'Ada',
      emails: null,
      label_ids: null,
      update_time: '2026-01-01T00:00:00Z',
      id: 8,
      [code]: address,
      ['d'.repeat(40)]: { value: '09:00:00', timezoneId: 3, timezoneName: 'Europe/Tallinn' },
      ['e'.repeat(40)]: [],
    };
    expect(toRequestBody('person', fields)).toEqual({
      name: 'Ada',
      emails: [],
      label_ids: [],
      custom_fields: {
        [code]: { value: address.value },
        ['d'.repeat(40)]: { value: '09:00:00', timezone_name: 'Europe/Tallinn' },
        ['e'.repeat(40)]: null,
      },
    });
  });

  it('is flat for a lead, money in its own form', () => {
    const fields: Record<string, FieldValue> = {
      title: 'T',
      visible_to: 3,
      value: { value: 9, currency: 'USD' },
      [code]: { value: 1, currency: 'EUR' },
      ['d'.repeat(40)]: [1, 2],
      ['e'.repeat(40)]: { value: '09:00:00', timezoneId: 277 },
      ['f'.repeat(40)]: { value: '09:00:00', until: '17:00:00', timezoneId: 277 },
    };
    expect(toRequestBody('lead', fields)).toEqual({
      title: 'T',
      visible_to: '3',
      value: { amount: 9, currency: 'USD' },
      [code]: 1,
      [`${code}_currency`]: 'EUR',
      ['d'.repeat(40)]: '1,2',
      ['e'.repeat(40)]: '09:00:00',
      [`${'e'.repeat(40)}_timezone_id`]: 277,
      ['f'.repeat(40)]: '09:00:00',
      [`${'f'.repeat(40)}_until`]: '17:00:00',
      [`${'f'.repeat(40)}_timezone_id`]: 277,
    });
  });

  it('keeps the value and currency of a deal side by side', () => {
    expect(toRequestBody('deal', { value: { value: 5, currency: 'EUR' } })).toEqual({
      value: 5,
      currency: 'EUR',
    });
    expect(toRequestBody('deal', { value: null })).toEqual({ value: null });
  });
});
