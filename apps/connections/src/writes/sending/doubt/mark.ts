import type { Failure } from '@manifold/pipedrive';
import { findChangeSet } from '../../../changes/store.ts';
import {
  externalIdField,
  type ExternalIdQuestion,
  forgetExternalIdField,
} from '../../../fields/external-id/commands.ts';
import { type ExternalIdObject, isExternalIdObject } from '../../../fields/external-id/rules.ts';
import type { Db } from '../../../store.ts';
import type { Held, SendingDeps } from '../held.ts';
import { startOver } from '../starting-over/start-over.ts';

/** A field and a value that no other record has: what our own creates are known by. */
export interface Mark {
  code: string;
  value: string;
}

/** The mark a new record is to carry; undefined where the object cannot or may not carry one. */
export async function markOf(deps: SendingDeps, held: Held): Promise<Mark | undefined> {
  const { step } = held;
  // leads have no custom fields of their own, but one meant for this
  if (step.object === 'lead') return { code: 'origin_id', value: step.id };
  const question = questionOf(held);
  if (question === undefined) return undefined;
  const mayMake = (tx: Db) => isInPrice(tx, held, question.object);
  const field = await externalIdField(deps, { ...question, mayMake }, held.client);
  return field === undefined ? undefined : { code: field.code, value: externalIdOf(deps, held) };
}

/** What a change set takes is approved: its records go without a field whose making was not counted. */
async function isInPrice(tx: Db, { request }: Held, object: ExternalIdObject): Promise<boolean> {
  if (request.change_set_id === null) return true;
  const set = await findChangeSet(tx, request.change_set_id);
  return set?.makes_fields?.includes(object) ?? true;
}

/** 128 bits that say nothing; the same for the same business key, whichever try it is. */
function externalIdOf({ vault }: SendingDeps, { step }: Held): string {
  const scope = `external_id|${step.workspace_id}|${step.company_id}`;
  return vault.keyedHash(scope, `${step.object}|${step.key_hashes[0]}`).slice(0, 32);
}

/** True when Pipedrive refused the mark, whose field somebody removed: the step tries again without it. */
export async function forgetMark(
  deps: SendingDeps,
  held: Held,
  { failure, mark }: { failure: Failure; mark: Mark | undefined },
): Promise<boolean> {
  const question = questionOf(held);
  if (failure.outcome !== 'refused' || mark === undefined || failure.fieldCode !== mark.code) {
    return false;
  }
  if (question === undefined) return false;
  await forgetExternalIdField(deps, { ...question, code: mark.code });
  await startOver(deps, held, 'unknown_field');
  return true;
}

function questionOf({ step }: Held): ExternalIdQuestion | undefined {
  const { workspace_id: workspaceId, connection_id: connectionId, company_id, object } = step;
  if (!isExternalIdObject(object)) return undefined;
  return { workspaceId, connectionId, companyId: company_id, object };
}
