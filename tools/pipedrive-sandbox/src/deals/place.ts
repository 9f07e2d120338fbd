import type { Json, JsonObject } from '../json.ts';
import { applyLinks, type BuildContext } from '../records/kind.ts';
import { wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';

/** A stage brings its pipeline; a pipeline alone its first stage; neither the first stage of the first pipeline. */
export function applyPlace(
  base: JsonObject,
  body: JsonObject,
  before: JsonObject | undefined,
  context: BuildContext,
): void {
  const { world, issues } = context;
  const known = issues.length;
  applyLinks(base, body, ['pipeline_id', 'stage_id'], context);
  if (issues.length > known) return;
  if (typeof body.stage_id === 'number') {
    const home = pipelineOf(world, body.stage_id);
    if (typeof body.pipeline_id === 'number' && body.pipeline_id !== home)
      issues.push({ key: 'stage_id', message: 'Stage is not in this pipeline' });
    base.pipeline_id = home;
  } else if (base.pipeline_id !== (before?.pipeline_id ?? null) || base.stage_id === null) {
    base.pipeline_id ??= firstPipeline(world);
    base.stage_id = firstStage(world, base.pipeline_id);
    if (base.stage_id === null)
      issues.push({ key: 'pipeline_id', message: 'Pipeline has no stages' });
  }
  if (before !== undefined && before.stage_id !== base.stage_id)
    base.stage_change_time = wholeSeconds(world.now());
}

function pipelineOf({ db }: World, stageId: number): number | null {
  const sql = 'select pipeline_id as id from stage where id = ?';
  return db.find<{ id: number }>(sql, stageId)?.id ?? null;
}

function firstPipeline({ db }: World): number | null {
  const sql = 'select id from pipeline where deleted = 0 order by id limit 1';
  return db.find<{ id: number }>(sql)?.id ?? null;
}

function firstStage({ db }: World, pipelineId: Json): number | null {
  const sql =
    'select id from stage where pipeline_id = ? and deleted = 0 order by order_nr, id limit 1';
  return typeof pipelineId === 'number'
    ? (db.find<{ id: number }>(sql, pipelineId)?.id ?? null)
    : null;
}
