import { expect, test } from 'vitest';
import { decideDeparture } from './rules.ts';

const link = { entity_id: 'ct_1', deleted_at: null };
const alone = { link, survivor: 'none', shared: false, otherLinks: 0 } as const;

test.each([
  ['the only record of a contact', alone, 'delete'],
  ['one of several records of a contact (A12)', { ...alone, otherLinks: 1 }, 'detach'],
  ['a record that made no contact', { ...alone, link: { ...link, entity_id: null } }, 'remember'],
  [
    'a record that was gone before',
    { ...alone, link: { ...link, deleted_at: new Date() } },
    'remember',
  ],
  ['a record merged into one that is here', { ...alone, survivor: 'here' }, 'delete'],
  ['a record merged into one not seen yet', { ...alone, survivor: 'unknown' }, 'hand_over'],
  ['a record merged into one that is gone too', { ...alone, survivor: 'gone' }, 'delete'],
  [
    'a record merged into one of the same contact',
    { ...alone, survivor: 'here', shared: true, otherLinks: 1 },
    'remember',
  ],
] as const)('%s → %3$s', (_, options, departure) => {
  expect(decideDeparture(options)).toBe(departure);
});
