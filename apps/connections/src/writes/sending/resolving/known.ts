import type { FieldValue } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { isKnownEqual } from '../../hashes/commands.ts';
import type { Held, SendingDeps } from '../held.ts';

/**
 * The record of a step that is known to be as the step wants it, without a look at Pipedrive. Only
 * while Pipedrive tells us of changes, and never for bulk work, which reads in batches anyway.
 */
export async function findKnownEqual(
  deps: SendingDeps,
  held: Held,
  fields: Record<string, FieldValue>,
): Promise<string | undefined> {
  const { step, body, connection } = held;
  const mayDo =
    (step.operation === 'upsert' || step.operation === 'update') &&
    step.lane !== 'bulk' &&
    step.sent_at === null &&
    step.existing !== 'leave' &&
    Object.keys(body.onlyWhere).length === 0;
  const pipedriveId = onlyRecordOf(held);
  if (!mayDo || pipedriveId === undefined) return undefined;
  return withWorkspace(deps.db, step.workspace_id, async (tx) => {
    const { workspace_id: workspaceId, company_id: companyId, object, existing } = step;
    const record = { workspaceId, companyId, object, pipedriveId, fields };
    const isEqual = await isKnownEqual(tx, record, {
      vault: deps.vault,
      existing,
      connection,
    });
    return isEqual ? pipedriveId : undefined;
  });
}

/** The one record the step's id or all of its linked keys mean. */
function onlyRecordOf({ body, links }: Held): string | undefined {
  const id = body.identity.find(({ kind }) => kind === 'pipedrive_id')?.value;
  if (id !== undefined) return id;
  const linked = links.filter(({ state }) => state === 'linked');
  const [only, ...others] = new Set(linked.flatMap(({ pipedrive_id }) => pipedrive_id ?? []));
  return others.length === 0 ? only : undefined;
}
