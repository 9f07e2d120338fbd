import {
  type WriteCommand,
  WriteRequestId,
  type WriteStep,
  WriteStepId,
} from '@manifold/contracts';
import { newId } from '@manifold/database';
import type { Connection } from '../accounts/tables.ts';
import type { Vault } from '../vault/seal.ts';
import { columnsOfActor } from './askers/rules.ts';
import { keyHashesOf, sealBody, survivorHashesOf } from './body.ts';
import type { Step, WriteRequest } from './store.ts';

/** A command as it is stored. */
export const requestOf = (
  command: WriteCommand,
  { connection, bodyHash, now }: { connection: Connection; bodyHash: string; now: Date },
): WriteRequest => ({
  workspace_id: command.workspaceId,
  id: newId('wr', WriteRequestId),
  connection_id: connection.id,
  company_id: connection.company_id,
  acting_user_id: command.actingUserId ?? null,
  idempotency_key: command.idempotencyKey,
  body_hash: bodyHash,
  state: 'pending',
  reason: null,
  // what a change set applies must not hold up anything else
  lane: command.changeSetId === undefined ? command.lane : 'bulk',
  cause_service: command.cause.service,
  cause_type: command.cause.type,
  cause_id: command.cause.id,
  ...columnsOfActor(command.actor),
  correlation_id: command.correlationId,
  mapping_id: command.mapping?.id ?? null,
  mapping_version: command.mapping?.version ?? null,
  change_set_id: command.changeSetId ?? null,
  released_at: null,
  created_at: now,
  settled_at: null,
});

/** The steps of a command as they are stored: none of them in line yet. */
export const stepsOf = (vault: Vault, command: WriteCommand, request: WriteRequest): Step[] =>
  command.steps.map((step, position) => {
    const { identity, fields, createOnlyFields, survivor, onlyWhere } = step;
    const named = { workspace_id: request.workspace_id, id: newId('st', WriteStepId) };
    return {
      ...named,
      ...restingStep,
      write_request_id: request.id,
      connection_id: request.connection_id,
      company_id: request.company_id,
      position,
      name: step.name,
      operation: step.operation,
      object: step.object,
      existing: step.existing,
      guard: step.guard,
      target_pipedrive_id: namedIdOf(step),
      refers_to: JSON.stringify(step.references),
      key_hashes: keyHashesOf(vault, request, step),
      survivor_hashes: survivorHashesOf(vault, { ...named, object: step.object }, survivor),
      sealed_body: sealBody(vault, named, {
        identity,
        fields,
        createOnlyFields,
        survivor,
        onlyWhere,
      }),
      lane: request.lane,
      job: request.change_set_id ?? request.cause_service,
      not_before: request.created_at,
      created_at: request.created_at,
    };
  });

/** The record a step names by its id; a create has none yet. */
const namedIdOf = ({ operation, identity }: WriteStep): string | null =>
  operation === 'create'
    ? null
    : (identity.find(({ kind }) => kind === 'pipedrive_id')?.value ?? null);

/** A step about which nothing has happened yet. */
const restingStep = {
  change_id: null,
  sealed_sent: null,
  sent_hashes: null,
  state: 'planned' as const,
  lease_until: null,
  lease_owner: null,
  fence: 0,
  attempts: 0,
  searched: null,
  unknown_creates: 0,
  sent_at: null,
  sent_effect: null,
  settle_until: null,
  mark: null,
  echo_pipedrive_id: null,
  sealed_before: null,
  sealed_after: null,
  images_until: null,
  effect: null,
  reason: null,
  cause: null,
  fix: null,
  pipedrive_id: null,
  pipedrive_url: null,
  loser_pipedrive_id: null,
  record_update_time: null,
  candidates: [],
  superseded_by: null,
  changed_keys: [],
  cost_tokens: 0,
  settled_at: null,
};
