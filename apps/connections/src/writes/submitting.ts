import {
  type PipedriveObject,
  type WriteCommand,
  WriteRequestId,
  WriteStepId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { lockKey } from '@manifold/messaging';
import { findActingConnection, keepConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import { findFields } from '../fields/store.ts';
import type { Db, Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { keyHashesOf, sealBody } from './body.ts';
import { supersedeRequest } from './commands.ts';
import { advance } from './progress.ts';
import { canonicalText, checkStep, type KnownFields } from './rules.ts';
import {
  findRequestByKey,
  insertRequest,
  insertSteps,
  type Step,
  type WriteRequest,
} from './store.ts';

/** Stores a command; asked twice with one key it is stored once. Nothing is sent before it is. */
export async function submitWrite(
  { db, vault }: { db: Db; vault: Vault },
  command: WriteCommand,
  now: Date,
): Promise<{ writeRequestId: WriteRequestId; repeated: boolean }> {
  const { workspaceId, idempotencyKey } = command;
  const bodyHash = vault.keyedHash(`write_request|${workspaceId}`, canonicalText(command));
  return withWorkspace(db, workspaceId, async (tx) => {
    await lockKey(tx, workspaceId, `write_request|${idempotencyKey}`);
    const earlier = await findRequestByKey(tx, idempotencyKey);
    if (earlier) {
      if (earlier.body_hash !== bodyHash) throw otherBody();
      return { writeRequestId: earlier.id, repeated: true };
    }
    const connection = await connectionFor(tx, command);
    await checkSteps(tx, command, connection);
    if (command.supersedes !== undefined) {
      await supersedeRequest(tx, command.supersedes, { asker: command, now });
    }
    const request = requestOf(command, { connection, bodyHash, now });
    await insertRequest(tx, request);
    await insertSteps(tx, stepsOf(vault, command, request));
    await advance(tx, request, now);
    return { writeRequestId: request.id, repeated: false };
  });
}

const otherBody = () =>
  new Refusal('conflict', 'This idempotency key was used with another write', {
    reason: 'duplicate_idempotency_key',
    field: 'idempotencyKey',
    fix: 'Use a new key for a new write, or repeat the first one unchanged.',
  });

/** The personal connection of the acting user where there is one, else the one that was named. */
async function connectionFor(tx: Tx, command: WriteCommand): Promise<Connection> {
  const { connectionId, actingUserId } = command;
  const named = await keepConnection(tx, connectionId);
  if (!named) {
    // for good: a connection is known to others only after it was made
    throw new Refusal('precondition', `There is no connection ${connectionId}`, {
      reason: 'connection_missing',
      field: 'connectionId',
    });
  }
  if (actingUserId === undefined) return named;
  const acting = await findActingConnection(tx, connectionId, actingUserId);
  return (acting && (await keepConnection(tx, acting.id))) ?? named;
}

async function checkSteps(tx: Tx, command: WriteCommand, connection: Connection): Promise<void> {
  const catalogues = new Map<PipedriveObject, KnownFields>();
  for (const object of new Set(command.steps.map((step) => step.object))) {
    const fields = await findFields(tx, connection.id, object);
    // objects whose catalogue is not read yet are left to Pipedrive's own judgement
    if (fields.length > 0)
      catalogues.set(object, new Map(fields.map((field) => [field.code, field])));
  }
  const problems = command.steps.flatMap((step, index) => {
    const earlier = command.steps.slice(0, index).map(({ name }) => name);
    const found = checkStep(step, { earlier, fields: catalogues.get(step.object) });
    return found.map((problem) => ({ ...problem, path: `steps.${index}.${problem.path}` }));
  });
  const [first] = problems;
  if (first === undefined) return;
  throw new Refusal(
    'invalid',
    problems
      .map(({ message }) => message)
      .join('; ')
      .slice(0, 1_000),
    {
      reason: first.reason,
      field: first.path,
      ...(first.reason === 'unknown_field'
        ? { fix: 'Refresh the fields of the connection, or correct the mapping.' }
        : {}),
    },
  );
}

const requestOf = (
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
  lane: command.lane,
  cause_service: command.cause.service,
  cause_type: command.cause.type,
  cause_id: command.cause.id,
  actor_kind: command.actor.kind,
  actor_id: command.actor.id,
  correlation_id: command.correlationId,
  mapping_id: command.mapping?.id ?? null,
  mapping_version: command.mapping?.version ?? null,
  created_at: now,
  settled_at: null,
});

const stepsOf = (vault: Vault, command: WriteCommand, request: WriteRequest): Step[] =>
  command.steps.map((step, position) => {
    const { identity, fields, createOnlyFields } = step;
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
      refers_to: JSON.stringify(step.references),
      key_hashes: keyHashesOf(vault, request, step),
      sealed_body: sealBody(vault, named, { identity, fields, createOnlyFields }),
      lane: request.lane,
      not_before: request.created_at,
      created_at: request.created_at,
    };
  });

/** A step about which nothing has happened yet. */
const restingStep = {
  sealed_sent: null,
  state: 'planned' as const,
  lease_until: null,
  lease_owner: null,
  fence: 0,
  attempts: 0,
  unknown_creates: 0,
  sent_at: null,
  sent_effect: null,
  settle_until: null,
  echo_pipedrive_id: null,
  effect: null,
  reason: null,
  cause: null,
  fix: null,
  pipedrive_id: null,
  pipedrive_url: null,
  record_update_time: null,
  candidates: [],
  changed_keys: [],
  cost_tokens: 0,
  settled_at: null,
};
