import { activity } from '../activities/activity.ts';
import { deal } from '../deals/deal.ts';
import type { Issue } from '../http/problem.ts';
import type { JsonObject } from '../json.ts';
import { pipeline } from '../pipelines/pipeline.ts';
import { stage } from '../pipelines/stage.ts';
import { product } from '../products/product.ts';
import type { World } from '../world.ts';
import type { RecordEntity } from './entities.ts';
import type { Kind } from './kind.ts';
import { organization } from './organization.ts';
import { person } from './person.ts';

export type { RecordEntity } from './entities.ts';
export type { StoredRecord } from './kind.ts';

const KINDS: Record<RecordEntity, Kind> = {
  person,
  organization,
  deal,
  product,
  activity,
  pipeline,
  stage,
};

/** Applies a body to the built-in part of a record; `before` is undefined for a new one. Collects every issue. */
export function buildBase(
  entity: RecordEntity,
  before: JsonObject | undefined,
  body: JsonObject,
  { world, userId }: { world: World; userId: number },
): { base: JsonObject; issues: Issue[] } {
  const context = { world, userId, issues: [] };
  const kind = KINDS[entity];
  const base = { ...kind.empty(context), ...before };
  kind.apply(base, body, before, context);
  return { base, issues: context.issues };
}

/** Gives a new record its id. */
export function identify(entity: RecordEntity, base: JsonObject, id: number): void {
  base.id = id;
  KINDS[entity].identify?.(base);
}
