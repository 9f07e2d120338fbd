import type { Json } from '../json.ts';
import { applyLinks, applyText, assign, type Kind } from '../records/kind.ts';
import type { World } from '../world.ts';

export const stage: Kind = {
  empty: () => ({
    id: 0,
    order_nr: 1,
    name: '',
    is_deleted: false,
    deal_probability: 100,
    pipeline_id: null,
    is_deal_rot_enabled: false,
    days_to_rotten: null,
    add_time: '',
    update_time: '',
  }),
  apply(base, body, before, context) {
    applyText(base, body, 'name', context);
    applyLinks(base, body, ['pipeline_id'], context);
    assign(base, body, ['deal_probability', 'is_deal_rot_enabled', 'days_to_rotten']);
    const { deal_probability: probability } = base;
    if (typeof probability !== 'number' || probability < 0 || probability > 100)
      context.issues.push({ key: 'deal_probability', message: 'Expected 0 to 100' });
    // a stage that is new in its pipeline comes last
    if (before?.pipeline_id !== base.pipeline_id)
      base.order_nr = nextPlace(context.world, base.pipeline_id);
  },
};

function nextPlace({ db }: World, pipelineId: Json | undefined): number {
  if (typeof pipelineId !== 'number') return 1;
  const sql = 'select max(order_nr) as last from stage where pipeline_id = ? and deleted = 0';
  return (db.find<{ last: number | null }>(sql, pipelineId)?.last ?? 0) + 1;
}
