import type { PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { listMadeByOthers } from '../../echoes/store.ts';
import { hasSameParent, isKnownByContent, isSent, type Sent } from '../../identity/rules.ts';
import type { Held, SendingDeps } from '../held.ts';

/**
 * Two creates without a key may send the same: what another step is known to have made is not what
 * came of this one.
 */
export async function withoutThoseOfOthers(
  deps: SendingDeps,
  { step, body }: Held,
  { records, sent }: { records: readonly PipedriveRecord[]; sent: Sent },
): Promise<readonly PipedriveRecord[]> {
  if (!isKnownByContent(step.object, body.identity)) return records;
  const alike = records.filter(
    (record) => isSent(record, sent) || hasSameParent(record, sent.fields),
  );
  const ids = alike.map(({ id }) => id);
  const made = await withWorkspace(deps.db, step.workspace_id, (tx) =>
    listMadeByOthers(tx, step, ids),
  );
  return records.filter(({ id }) => !made.includes(id));
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
