import type { PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { isCreateUnderWay, listMadeByOthers } from '../../echoes/store.ts';
import { hasSameParent, isKnownByContent, isSent, type Sent } from '../../identity/rules.ts';
import type { Held, SendingDeps } from '../held.ts';

/** Clocks differ, and Pipedrive counts in whole seconds. */
const CLOCK_MARGIN_MS = 30_000;

/**
 * Two creates without a key may send the same: what another step is known to have made is not what
 * came of this one. Undefined while one may be what another made whose answer is on its way.
 */
export async function withoutThoseOfOthers(
  deps: SendingDeps,
  { step, body }: Held,
  { records, sent }: { records: readonly PipedriveRecord[]; sent: Sent },
): Promise<readonly PipedriveRecord[] | undefined> {
  if (!isKnownByContent(step.object, body.identity)) return records;
  const alike = records.filter(
    (record) => isSent(record, sent) || hasSameParent(record, sent.fields),
  );
  if (alike.length === 0) return records;
  const ids = alike.map(({ id }) => id);
  const newest = Math.max(...alike.map(({ addTime }) => Date.parse(addTime ?? '') || 0));
  const [isUnderWay, made] = await withWorkspace(deps.db, step.workspace_id, async (tx) => [
    // first: an answer that arrives in between is found by the second
    await isCreateUnderWay(tx, step, new Date(newest + CLOCK_MARGIN_MS)),
    await listMadeByOthers(tx, step, ids),
  ]);
  const isClaimed = ({ id }: PipedriveRecord) => made.includes(id);
  if (isUnderWay && !alike.every(isClaimed)) return undefined;
  return records.filter((record) => !isClaimed(record));
}

/** The record a webhook showed, unless it has turned out to be what another step made. */
export async function findEchoed(
  deps: SendingDeps,
  { step, body }: Held,
): Promise<string | undefined> {
  const id = step.echo_pipedrive_id;
  if (id === null || !isKnownByContent(step.object, body.identity)) return id ?? undefined;
  const made = await withWorkspace(deps.db, step.workspace_id, (tx) =>
    listMadeByOthers(tx, step, [id]),
  );
  return made.length === 0 ? id : undefined;
}
