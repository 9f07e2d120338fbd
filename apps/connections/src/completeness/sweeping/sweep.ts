import { withWorkspace } from '@manifold/database';
import { enterKeys, timeOf } from '../../registry/entering.ts';
import { marginBefore } from '../../registry/rules.ts';
import { lockRegistry, setRegistry } from '../../registry/store.ts';
import { findUntold, tellFound } from './finding.ts';
import { type CompletenessDeps, listChangesOf, type Progress, type Reading } from '../reading.ts';
import { PAGE } from '../rules.ts';

/**
 * Reads one page of what changed since the last sweep and tells of what no webhook told of. Changes
 * that are younger than a delivery takes are left to the next sweep.
 */
export async function sweepPage(deps: CompletenessDeps, reading: Reading): Promise<Progress> {
  const { registry } = reading;
  const beganAt = registry.sweep_began_at ?? deps.now();
  const listed = await listChangesOf(reading, {
    since: registry.swept_until ?? beganAt,
    limit: PAGE,
    cursor: registry.sweep_cursor ?? undefined,
  });
  if (listed.outcome === 'refused' && registry.sweep_cursor !== null)
    await startOver(deps, reading);
  if (listed.outcome !== 'ok') return { next: 'failed', failure: listed };
  const sweptUntil = new Date(beganAt.getTime() - deps.graceMs);
  await withWorkspace(deps.db, registry.workspace_id, async (tx) => {
    // emptied, or swept by another replica, since it was read
    const current = await lockRegistry(tx, registry);
    if (current?.swept_until?.getTime() !== registry.swept_until?.getTime()) return;
    if (current?.sweep_cursor !== registry.sweep_cursor || current.releasing) return;
    await enterKeys(tx, deps.vault, { registry, records: listed.data });
    const old = listed.data.filter((record) => timeOf(record) <= sweptUntil);
    for (const untold of await findUntold(tx, registry, old)) {
      await tellFound(deps, tx, { reading, ...untold });
    }
    await setRegistry(tx, registry, placeAfter(deps, { beganAt, sweptUntil, ...listed }));
  });
  return { next: listed.nextCursor === undefined ? 'rest' : 'more' };
}

const placeAfter = (
  deps: CompletenessDeps,
  page: { beganAt: Date; sweptUntil: Date; nextCursor?: string },
) =>
  page.nextCursor === undefined
    ? {
        swept_until: marginBefore(page.sweptUntil),
        sweep_cursor: null,
        sweep_began_at: null,
        sweep_at: new Date(deps.now().getTime() + deps.sweepEveryMs),
      }
    : { sweep_cursor: page.nextCursor, sweep_began_at: page.beganAt };

/** A cursor Pipedrive no longer takes must not hold the sweep for ever. */
const startOver = (deps: CompletenessDeps, { registry }: Reading) =>
  withWorkspace(deps.db, registry.workspace_id, (tx) =>
    setRegistry(tx, registry, { sweep_cursor: null, sweep_began_at: null }),
  );
