import type { FieldValue } from '@manifold/contracts';
import { describe, expect, it } from 'vitest';
import {
  needsList,
  normaliseField,
  normaliseRecord,
  normaliseWebhook,
  toRequestBody,
  unwritableFields,
} from '../index.ts';

const webhook = (entity: string, data: object) => ({
  meta: {
    id: 'd1f1',
    action: 'change',
    entity,
    entity_id: '8',
    company_id: '1',
    timestamp: '2026-01-02T03:04:05.678Z',
  },
  data,
  previous: null,
});
const hooked = (entity: string, data: object): Record<string, FieldValue> | undefined => {
  const reading = normaliseWebhook(webhook(entity, data));
  return reading.outcome === 'understood' ? reading.event.record.fields : undefined;
};

describe('an activity', () => {
  const rest = {
    id: 8,
    subject: 'Call',
    due_time: '15:00:00',
    duration: '01:30',
    busy: true,
    participants: [
      { person_id: 3, primary: false },
      { person_id: 4, primary: true },
    ],
    location: { value: 'Tallinn' },
  };

  it('is about its primary participant, and is written so', () => {
    expect(normaliseRecord('activity', rest).fields).toMatchObject({
      person_id: 4,
      due_time: '15:00:00',
      duration: '01:30:00',
      location: { value: 'Tallinn' },
    });
    expect(
      toRequestBody('activity', { person_id: 4, due_time: '15:00:00', duration: '01:30:00' }),
    ).toEqual({
      participants: [{ person_id: 4, primary: true }],
      due_time: '15:00',
      duration: '01:30',
    });
    expect(toRequestBody('activity', { person_id: null })).toEqual({ participants: [] });
  });

  it('keeps its other participants, and gets the former one back', () => {
    const read = (raw: object) => normaliseRecord('activity', { id: 8, ...raw });
    const write = (person_id: number, on: object) =>
      toRequestBody('activity', { person_id }, read(on));
    const before = [
      { person_id: 4, primary: true },
      { person_id: 3, primary: false },
    ];
    const replaced = write(5, { participants: before });
    expect(replaced.participants).toEqual([
      { person_id: 5, primary: true },
      { person_id: 3, primary: false },
    ]);
    expect(write(4, replaced).participants).toEqual(before);
    const moved = write(3, { participants: before });
    expect(moved.participants).toEqual([
      { person_id: 3, primary: true },
      { person_id: 4, primary: false },
    ]);
    expect(write(4, moved).participants).toEqual(before);
  });

  it('whose other participants are not known, or would go, is not written', () => {
    const unread = { ...normaliseRecord('activity', rest) };
    expect(needsList(unread, { person_id: 5 })).toBe(true);
    expect(needsList(unread, { subject: 'S' })).toBe(false);
    expect(unwritableFields('activity', { person_id: 5 }, unread)).toEqual(['person_id']);
    const read = normaliseRecord('activity', rest);
    expect(needsList(read, { person_id: 5 })).toBe(false);
    expect(unwritableFields('activity', { person_id: null }, read)).toEqual(['person_id']);
  });

  it('is the same from a webhook, which keeps older names', () => {
    const { participants: _, busy: __, ...shared } = rest;
    const time = { timezone_id: 1, value: '15:00' };
    expect(
      hooked('activity', { ...shared, due_time: time, busy_flag: true, person_id: 4 }),
    ).toEqual(normaliseRecord('activity', rest).fields);
  });
});

describe('a product', () => {
  it('has the first of its prices, and is written with one', () => {
    const prices = [
      { product_id: 1, price: 5, currency: 'EUR', cost: 2 },
      { product_id: 1, price: 6, currency: 'USD' },
    ];
    expect(normaliseRecord('product', { id: 1, prices }).fields.prices).toEqual({
      value: 5,
      currency: 'EUR',
    });
    expect(normaliseRecord('product', { id: 1, prices: [] }).fields.prices).toBeNull();
    expect(toRequestBody('product', { prices: { value: 5, currency: 'EUR' } })).toEqual({
      prices: [{ price: 5, currency: 'EUR' }],
    });
  });

  it('keeps its prices in other currencies, and what it costs', () => {
    const raw = {
      id: 1,
      prices: [
        { product_id: 1, price: 5, currency: 'EUR', cost: 2 },
        { product_id: 1, price: 6, currency: 'USD' },
      ],
    };
    const write = (value: number, currency: string) =>
      toRequestBody('product', { prices: { value, currency } }, normaliseRecord('product', raw));
    const euros = { price: 5, currency: 'EUR', cost: 2 };
    const dollars = { price: 6, currency: 'USD' };
    expect(write(7, 'EUR').prices).toEqual([{ ...euros, price: 7 }, dollars]);
    expect(write(8, 'USD').prices).toEqual([{ ...dollars, price: 8 }, euros]);
    expect(write(9, 'GBP').prices).toEqual([{ price: 9, currency: 'GBP' }, euros, dollars]);
    expect(unwritableFields('product', { prices: null }, normaliseRecord('product', raw))).toEqual([
      'prices',
    ]);
  });

  it('has its price written only with a currency (RS-50)', () => {
    expect(
      unwritableFields('product', { name: 'P', prices: { value: 5, currency: null } }),
    ).toEqual(['prices']);
    expect(toRequestBody('product', { name: 'P', prices: { value: 5, currency: null } })).toEqual({
      name: 'P',
    });
  });
});

describe('a note', () => {
  it('has no custom fields, and its pins are written as numbers', () => {
    const raw = { id: 1, content: 'Hi', pinned_to_deal_flag: false, user_id: 3, person_id: 4 };
    expect(normaliseRecord('note', raw).fields).toEqual(raw);
    expect(toRequestBody('note', { content: 'Hi', pinned_to_deal_flag: true })).toEqual({
      content: 'Hi',
      pinned_to_deal_flag: 1,
    });
    const pin = { id: 2, key: 'pinned_to_deal_flag', name: 'Pinned', field_type: 'enum' };
    expect(normaliseField('note', { ...pin, edit_flag: true })).toMatchObject({
      code: 'pinned_to_deal_flag',
      custom: false,
    });
  });
});

describe('a deal', () => {
  it('cannot be given an origin, a lead can', () => {
    const origin = { origin_id: 'step', channel_id: 'Spring' };
    expect(toRequestBody('deal', { title: 'T', ...origin })).toEqual({ title: 'T' });
    expect(toRequestBody('lead', { title: 'T', ...origin })).toEqual({ title: 'T', ...origin });
  });
});

describe('labels', () => {
  it('of a lead are UUIDs, of everything else numbers', () => {
    const uuid = 'f08b42a0-4e75-11ea-9643-03698ef1cfd6';
    expect(normaliseRecord('lead', { id: 'u', label_ids: [uuid] }).fields.label_ids).toEqual([
      uuid,
    ]);
    expect(normaliseRecord('deal', { id: 1, label_ids: [1, 2] }).fields.label_ids).toEqual([1, 2]);
    expect(toRequestBody('lead', { label_ids: null })).toEqual({ label_ids: [] });
  });
});
