import { expect, test } from 'vitest';
import { decideUndoable, type Ended, type Surroundings } from './rules.ts';

const now = new Date('2026-03-01T10:00:00Z');
const later = new Date('2026-03-02T10:00:00Z');
const ended: Ended = { state: 'done', ended_at: now, image_days: 30, images_until: later };
const tally = (effect: 'create' | 'update' | 'delete' | 'merge' | 'link' | 'none') =>
  ({ effect, step_state: 'applied', count: 1 }) as const;
const around: Surroundings = { tallies: [tally('update')], undos: [], isConnected: true };
const undo = (state: Surroundings['undos'][number]['state']): Partial<Surroundings> => ({
  undos: [{ id: 'cs_00000000000000000000000000000001' as never, state }],
});
type Given = [string, Partial<Ended>, Partial<Surroundings>];

test.each<Given>([
  ['is done', {}, {}],
  ['was cancelled after it had written something', { state: 'cancelled' }, {}],
  ['made a record and deleted another', {}, { tallies: [tally('create'), tally('delete')] }],
  ['was undone before', {}, undo('done')],
  ['is undone by a set that was cancelled', {}, undo('cancelled')],
  ['is undone by a set that failed', {}, undo('failed')],
])('a set that %s can be undone', (_, set, surroundings) => {
  const decision = decideUndoable({ ...ended, ...set }, { ...around, ...surroundings }, now);
  expect(decision).toEqual({ outcome: 'yes' });
});

test.each<[...Given, string]>([
  ['is being applied', { state: 'applying', ended_at: null }, {}, 'change_set_not_ready'],
  ['still comes to its end', { state: 'cancelling', ended_at: null }, {}, 'change_set_not_ready'],
  ['lost its connection', {}, { isConnected: false }, 'connection_missing'],
  ['is being undone', {}, undo('awaiting_approval'), 'change_set_not_ready'],
  ['has an undo that ends', {}, undo('cancelling'), 'change_set_not_ready'],
  ['wrote nothing', {}, { tallies: [tally('none'), tally('link')] }, 'nothing_to_change'],
  ['has no rows', {}, { tallies: [] }, 'nothing_to_change'],
  [
    'has skipped every row',
    {},
    { tallies: [{ ...tally('update'), step_state: 'skipped' }] },
    'nothing_to_change',
  ],
  ['only deleted and joined', {}, { tallies: [tally('delete'), tally('merge')] }, 'irreversible'],
  ['keeps no values', { image_days: 0, images_until: now }, {}, 'undo_not_available'],
  ['has lost its values', { images_until: null }, {}, 'undo_not_available'],
  ['has values until now', { images_until: now }, {}, 'undo_not_available'],
])('a set that %s cannot be undone, and says why', (_, set, surroundings, reason) => {
  const decision = decideUndoable({ ...ended, ...set }, { ...around, ...surroundings }, now);
  expect(decision).toMatchObject({ outcome: 'no', reason });
  if (decision.outcome === 'no') expect([decision.because, decision.fix].join()).not.toMatch(/,$/);
});
