import { expect, test } from 'vitest';
import { decideDeparture } from './rules.ts';

const link = { entity_id: 'ct_1', deleted_at: null };
const alone = { link, survivor: 'none', shared: false, otherLinks: 0 } as const;

test.each([
  ['the only record of a contact', 'delete', alone],
  ['one of several records of a contact (A12)', 'detach', { ...alone, otherLinks: 1 }],
  ['a record that made no contact', 'remember', { ...alone, link: { ...link, entity_id: null } }],
  [
    'a record that was gone before',
    'remember',
    { ...alone, link: { ...link, deleted_at: new Date() } },
  ],
  ['a record merged into one that is here', 'delete', { ...alone, survivor: 'here' }],
  ['a record merged into one not seen yet', 'hand_over', { ...alone, survivor: 'unknown' }],
  ['a record merged into one that is gone too', 'delete', { ...alone, survivor: 'gone' }],
  [
    'a record merged into one of the same contact',
    'remember',
    { ...alone, survivor: 'here', shared: true, otherLinks: 1 },
  ],
] as const)('%s → %s', (_, departure, options) => {
  expect(decideDeparture(options)).toBe(departure);
});
