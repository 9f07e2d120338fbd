import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseWebhook } from '../index.ts';

const code = 'c'.repeat(40);
const webhook = (entity: string, data: object, more: object = {}) => ({
  meta: {
    id: 'd1f1',
    action: 'change',
    entity,
    entity_id: '8',
    company_id: '1',
    timestamp: '2026-01-02T03:04:05.678Z',
    ...more,
  },
  data,
  previous: null,
});

describe('a webhook', () => {
  it('of a change tells what the fields were before', () => {
    const body = {
      ...webhook('person', { id: 8, name: 'New' }),
      previous: { name: 'Old', custom_fields: { [code]: { type: 'enum', id: 4 } } },
    };
    expect(normaliseWebhook(body)).toMatchObject({
      event: {
        action: 'change',
        recordId: '8',
        previous: { name: 'Old', [code]: 4 },
        occurredAt: '2026-01-02T03:04:05.678Z',
      },
    });
  });

  it('of a deletion carries the last state, marked deleted, and the survivor of a merge', () => {
    const meta = { ...webhook('person', {}).meta, action: 'delete', merged_to_id: 9 };
    const reading = normaliseWebhook({ meta, data: null, previous: { id: 8, name: 'Ada' } });
    expect(reading).toMatchObject({
      event: { mergedInto: '9', record: { id: '8', deleted: true, fields: { name: 'Ada' } } },
    });
    expect(normaliseWebhook({ meta, data: null, previous: null })).toMatchObject({
      event: { record: { deleted: true } },
    });
  });

  it('about something Manifold does not follow is told apart from a broken one', () => {
    expect(normaliseWebhook(webhook('board', {}))).toEqual({
      outcome: 'foreign_object',
      entity: 'board',
    });
  });

  it.each([
    [null, 'not an object'],
    ['text', 'not an object'],
    [{}, 'meta is not readable'],
    [
      { v: 1, event: 'updated.person', current: {}, meta: { id: 5, action: 'updated' } },
      'meta.id is not readable',
    ],
    [{ ...webhook('person', {}), data: [] }, 'data is not readable'],
    [webhook('person', {}, { timestamp: 'soon' }), 'meta.timestamp is no time'],
    [{ ...webhook('person', {}), data: null }, 'data is missing'],
  ])('that is malformed names the place: %j', (body, cause) => {
    expect(normaliseWebhook(body)).toEqual({ outcome: 'malformed', cause });
  });

  it('never makes it throw', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (data, previous) => {
        expect(normaliseWebhook({ ...webhook('person', {}), data, previous }).outcome).toMatch(
          /understood|malformed/,
        );
      }),
    );
  });
});
