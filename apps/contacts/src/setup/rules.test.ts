import { ConnectionId, FieldMappingId, type MappingSource } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { expect, test } from 'vitest';
import { sourceOf } from '../../test/records.ts';
import { listMissing, whyFixed } from './rules.ts';

const chosen = {
  connection_id: newId('cn', ConnectionId),
  mapping_id: newId('fm', FieldMappingId),
  require_identifier: true,
};
const rowsOf = (...ids: string[]): MappingSource => {
  const whole = sourceOf();
  return { ...whole, rows: whole.rows.filter(({ id }) => ids.includes(id)) };
};

test.each([
  [
    'nothing',
    { ...chosen, connection_id: null, mapping_id: null },
    undefined,
    ['connectionId', 'mappingId'],
  ],
  ['no mapping', { ...chosen, mapping_id: null }, undefined, ['mappingId']],
  ['a mapping with e-mail', chosen, rowsOf('1', '2'), []],
  ['a mapping with a phone number', chosen, rowsOf('1', '4'), []],
  ['a mapping of organizations alone', chosen, rowsOf('7', '8'), []],
  ['a mapping without identifiers', chosen, rowsOf('1', '5'), ['mappingId']],
  [
    'a mapping without identifiers, where none is required',
    { ...chosen, require_identifier: false },
    rowsOf('1', '5'),
    [],
  ],
])(
  'of a draft with %s everything missing is said at once (OR-08, WX-10)',
  (_, source, mapping, fields) => {
    const missing = listMissing(source, mapping);
    expect(missing.map(({ field }) => field)).toEqual(fields);
    expect(missing.every(({ cause, fix }) => cause.length > 10 && fix.length > 10)).toBe(true);
  },
);

test.each([
  ['DRAFT', { connectionId: chosen.connection_id }, undefined],
  ['DRAFT', { step: 'MERGE' }, undefined],
  ['ACTIVE', { name: 'Other' }, undefined],
  ['ARCHIVED', { retentionDays: 30 }, undefined],
  ['ACTIVE', { connectionId: chosen.connection_id }, 'data_source_set_up'],
  ['DISCONNECTED', { mappingId: chosen.mapping_id }, 'data_source_set_up'],
  ['ACTIVE', { step: 'MERGE' }, 'data_source_set_up'],
  ['DELETED', { name: 'Other' }, 'data_source_deleted'],
] as const)('a source that is %s and %o: %s', (state, changes, reason) => {
  expect(whyFixed({ state }, changes)?.reason).toBe(reason);
});
