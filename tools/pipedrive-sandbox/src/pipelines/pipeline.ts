import { applyText, assign, type Kind } from '../records/kind.ts';
import type { World } from '../world.ts';

export const pipeline: Kind = {
  empty: ({ world }) => ({
    id: 0,
    name: '',
    order_nr: nextPlace(world),
    is_deleted: false,
    is_deal_probability_enabled: false,
    add_time: '',
    update_time: '',
  }),
  apply(base, body, _, context) {
    applyText(base, body, 'name', context);
    assign(base, body, ['is_deal_probability_enabled']);
  },
};

function nextPlace({ db }: World): number {
  const sql = 'select count(*) as count from pipeline where deleted = 0';
  return (db.find<{ count: number }>(sql)?.count ?? 0) + 1;
}
