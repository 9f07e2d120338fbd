import type { FieldValue, PipedriveRecord } from '@manifold/contracts';
import {
  mergeOperations,
  type Outcome,
  recordOperations,
  toRequestBody,
} from '@manifold/pipedrive';
import { fieldsOfNew } from '../diff/rules.ts';
import { isMergeable } from '../identity/rules.ts';
import { heldBefore } from '../images/rules.ts';
import { send } from './calling/call.ts';
import type { Held, SendingDeps } from './held.ts';
import { markOf } from './doubt/mark.ts';
import { objectOf } from './resolving/resolve.ts';
import { endUnwritable } from './ending/unwritable.ts';

type Fields = Record<string, FieldValue>;

/** Makes the record, marked where that is possible so that it can be told from any other. */
export async function sendCreate(deps: SendingDeps, held: Held, fields: Fields): Promise<void> {
  const mark = await markOf(deps, held);
  const all = fieldsOfNew({ ...held.body, fields });
  const marked = mark === undefined ? all : { ...all, [mark.code]: mark.value };
  if (await endUnwritable(deps, held, { fields: marked })) return;
  const body = toRequestBody(held.step.object, marked);
  const { definitions } = held;
  await send(deps, held, {
    effect: 'created',
    operation: recordOperations[objectOf(held)].create,
    fields: marked,
    body,
    mark,
    call: () => held.client.createRecord(objectOf(held), { body, definitions }),
  });
}

/** Changes these fields of the record and no others. */
export async function sendUpdate(
  deps: SendingDeps,
  held: Held,
  change: { record: PipedriveRecord; fields: Fields },
): Promise<void> {
  if (await endUnwritable(deps, held, change)) return;
  const body = toRequestBody(held.step.object, change.fields, change.record);
  const { definitions } = held;
  await send(deps, held, {
    effect: 'updated',
    operation: recordOperations[objectOf(held)].update,
    fields: change.fields,
    body,
    targetId: change.record.id,
    images: { before: heldBefore(change.record, change.fields), after: change.fields },
    call: () => held.client.updateRecord(objectOf(held), change.record.id, { body, definitions }),
  });
}

/** Makes one record of two: `loser` disappears into `survivor`. There is no way back. */
export async function sendMerge(
  deps: SendingDeps,
  held: Held,
  { loser, survivor }: { loser: PipedriveRecord; survivor: PipedriveRecord },
): Promise<void> {
  const { object } = held.step;
  if (!isMergeable(object)) throw new Error(`Step ${held.step.id} merges two of ${object}`);
  const call = async (): Promise<Outcome<PipedriveRecord>> => {
    const ids = { loserId: loser.id, survivorId: survivor.id };
    const outcome = await held.client.mergeRecords(object, ids);
    // what the survivor holds now is not told in full
    return outcome.outcome === 'ok'
      ? { outcome: 'ok', data: { ...survivor, updateTime: null, fields: {} } }
      : outcome;
  };
  await send(deps, held, {
    effect: 'merged',
    operation: mergeOperations[object],
    fields: {},
    body: {},
    targetId: survivor.id,
    loserId: loser.id,
    call,
  });
}

export async function sendDelete(
  deps: SendingDeps,
  held: Held,
  record: PipedriveRecord,
): Promise<void> {
  const call = async (): Promise<Outcome<PipedriveRecord>> => {
    const outcome = await held.client.deleteRecord(objectOf(held), record.id);
    return outcome.outcome === 'ok'
      ? { outcome: 'ok', data: { ...record, deleted: true } }
      : outcome;
  };
  await send(deps, held, {
    effect: 'deleted',
    operation: recordOperations[objectOf(held)].remove,
    fields: {},
    body: {},
    targetId: record.id,
    call,
  });
}
