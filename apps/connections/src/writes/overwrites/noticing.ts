import {
  type FieldValue,
  OverwriteId,
  type PipedriveObject,
  type PipedriveRecord,
  RecordOverwritten,
  type WorkspaceId,
} from '@manifold/contracts';
import { newId } from '@manifold/database';
import { publish } from '@manifold/messaging';
import type { Tx } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { originOf } from '../askers/rules.ts';
import { openImages } from '../body.ts';
import { findRequest, type Step } from '../store.ts';
import { decideOverwrite, isMadeBy, type Lost } from './rules.ts';
import { insertOverwrite, listEchoedUpdates } from './store.ts';
import { sealLost } from './values.ts';

/** A change of a record as its webhook tells it. */
interface EchoedChange {
  workspaceId: WorkspaceId;
  companyId: string;
  object: PipedriveObject;
  pipedriveId: string;
  record: PipedriveRecord;
  previous?: Readonly<Record<string, FieldValue>> | null | undefined;
}

/** Notes that an update of ours, coming back, replaced values which it was not planned on. */
export async function noticeOverwrite(
  tx: Tx,
  change: EchoedChange,
  { vault, now }: { vault: Vault; now: Date },
): Promise<void> {
  const { record, previous } = change;
  if (previous === null || previous === undefined) return;
  const { updateTime } = record;
  for (const step of await listEchoedUpdates(tx, { ...change, updateTime })) {
    const images = openImages(vault, step);
    if (images === undefined || !isMadeBy(record.fields, images.after)) continue;
    const lost = decideOverwrite({ ...images, previous });
    if (lost !== undefined) await note(tx, { step, lost }, { vault, now });
  }
}

async function note(
  tx: Tx,
  { step, lost }: { step: Step; lost: Lost },
  { vault, now }: { vault: Vault; now: Date },
): Promise<void> {
  const request = await findRequest(tx, step.write_request_id);
  const { workspace_id, connection_id, company_id, object, pipedrive_id, images_until } = step;
  if (!request || pipedrive_id === null || images_until === null) return;
  const id = newId('ow', OverwriteId);
  const fields = Object.keys(lost.theirs);
  const isNew = await insertOverwrite(tx, {
    workspace_id,
    id,
    write_step_id: step.id,
    write_request_id: request.id,
    connection_id,
    company_id,
    object,
    pipedrive_id,
    pipedrive_url: step.pipedrive_url,
    fields,
    sealed_values: sealLost(vault, { workspace_id, id }, lost),
    values_until: images_until,
    state: 'open',
    restored_by: null,
    actor_kind: request.actor_kind,
    actor_id: request.actor_id,
    noticed_at: now,
    closed_at: null,
  });
  if (!isNew) return;
  await publish(tx, RecordOverwritten, {
    origin: originOf(request),
    key: `${connection_id}|${object}|${pipedrive_id}`,
    payload: {
      connectionId: connection_id,
      overwriteId: id,
      writeRequestId: request.id,
      stepId: step.id,
      object,
      pipedriveId: pipedrive_id,
      fields,
    },
    now,
  });
}
