import { moveLinks, removeClaims, setLinks, setLinksGone } from '../../../links/store.ts';
import type { Tx } from '../../../store.ts';
import { rememberFields } from '../../hashes/commands.ts';
import { removeHashes } from '../../hashes/store.ts';
import { type Held, linkKeysOf, type SendingDeps } from '../held.ts';
import type { StepEnd } from './step-end.ts';

/** What the keys of a step mean now that it has ended. */
export async function noteLinks(
  tx: Tx,
  held: Held,
  { end, now }: { end: StepEnd; now: Date },
): Promise<void> {
  const { step } = held;
  if (end.record === undefined) return removeClaims(tx, step.id);
  const pipedriveId = end.record.id;
  const record = { companyId: step.company_id, object: step.object, pipedriveId };
  if (end.effect === 'deleted') return setLinksGone(tx, record, now);
  if (end.effect === 'merged' && step.loser_pipedrive_id !== null) {
    const loser = { ...record, pipedriveId: step.loser_pipedrive_id };
    await moveLinks(tx, loser, { pipedriveId, now });
    const keys = { ...linkKeysOf(step), keyHashes: step.survivor_hashes };
    await setLinks(tx, keys, { pipedriveId, now });
  }
  await setLinks(tx, linkKeysOf(step), { pipedriveId, now });
  if (end.record.isGone === true) await setLinksGone(tx, record, now);
}

/** What the record holds is remembered, so that the next step with the same wish need not look. */
export async function noteHashes(
  { vault, now }: SendingDeps,
  tx: Tx,
  { held, end }: { held: Held; end: StepEnd },
): Promise<void> {
  const { step, body } = held;
  if (end.record === undefined) return;
  const { id: pipedriveId, updateTime, fields = {} } = end.record;
  const { workspace_id: workspaceId, company_id: companyId, object } = step;
  const seen = { workspaceId, companyId, object, pipedriveId, fields, updateTime };
  if (end.effect === 'deleted' || end.effect === 'merged') return removeHashes(tx, seen);
  if (!['created', 'updated', 'none'].includes(end.effect ?? 'none')) return;
  if (Object.keys(fields).length === 0) return;
  await rememberFields(tx, seen, { vault, now: now(), codes: Object.keys(body.fields) });
}
