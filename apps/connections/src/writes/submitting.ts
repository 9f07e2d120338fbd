import type { PipedriveObject, WriteCommand, WriteRequestId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { lockKey } from '@manifold/messaging';
import { requireOwn } from '../accounts/ownership/rules.ts';
import { findActing } from '../accounts/acting/commands.ts';
import { keepConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import { joinChangeSet, type Undoes } from '../changes/rows/joining.ts';
import { insertChanges } from '../changes/rows/store.ts';
import { findCatalogue } from '../fields/store.ts';
import type { Db, Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { supersedeRequest } from './commands.ts';
import { requestOf, stepsOf } from './drafting.ts';
import { advance } from './progress.ts';
import { checkStep, type KnownFields } from './checking/rules.ts';
import { canonicalText } from './rules.ts';
import { findRequestByKey, insertRequest, insertSteps } from './store.ts';

/** Stores a command; asked twice with one key it is stored once. Nothing is sent before it is. */
export const submitWrite = (
  { db, vault }: { db: Db; vault: Vault },
  command: WriteCommand,
  now: Date,
): Promise<Stored> =>
  withWorkspace(db, command.workspaceId, (tx) => storeWrite({ tx, vault }, command, { now }));

interface Stored {
  writeRequestId: WriteRequestId;
  repeated: boolean;
}

/**
 * The same within a transaction. One that is part of a change set rests until the set is applied.
 * `withValues`: somebody waits who can be told that Pipedrive must refuse a value.
 */
export async function storeWrite(
  { tx, vault }: { tx: Tx; vault: Vault },
  command: WriteCommand,
  { now, undoes, ...check }: { now: Date; undoes?: Undoes; withValues?: boolean },
): Promise<Stored> {
  const { workspaceId, idempotencyKey } = command;
  const bodyHash = vault.keyedHash(`write_request|${workspaceId}`, canonicalText(command));
  await lockKey(tx, workspaceId, `write_request|${idempotencyKey}`);
  const earlier = await findRequestByKey(tx, idempotencyKey);
  if (earlier) {
    if (earlier.body_hash !== bodyHash) throw otherBody();
    return { writeRequestId: earlier.id, repeated: true };
  }
  const connection = await connectionFor(tx, command);
  await checkSteps(tx, command, { connection, ...check });
  if (command.supersedes !== undefined) {
    await supersedeRequest(tx, command.supersedes, { asker: command, now });
  }
  const request = requestOf(command, { connection, bodyHash, now });
  const steps = stepsOf(vault, command, request);
  const changes = await joinChangeSet(tx, { request, steps, undoes });
  await insertRequest(tx, request);
  await insertSteps(tx, steps);
  await insertChanges(tx, changes);
  if (request.change_set_id === null) await advance(tx, request, now);
  return { writeRequestId: request.id, repeated: false };
}

const otherBody = () =>
  new Refusal('conflict', 'This idempotency key was used with another write', {
    reason: 'duplicate_idempotency_key',
    field: 'idempotencyKey',
    fix: 'Use a new key for a new write, or repeat the first one unchanged.',
  });

/** A personal connection of the acting user where one may write this, else the one that was named. */
async function connectionFor(tx: Tx, command: WriteCommand): Promise<Connection> {
  const { connectionId, actingUserId, actor } = command;
  const named = await keepConnection(tx, connectionId);
  if (!named) {
    // for good: a connection is known to others only after it was made
    throw new Refusal('precondition', `There is no connection ${connectionId}`, {
      reason: 'connection_missing',
      field: 'connectionId',
      fix: 'Use a connection that `connections` lists.',
    });
  }
  const isOwn = named.kind === 'PERSONAL' && named.user_id === actingUserId;
  const objects = command.steps.map(({ object }) => object);
  const acting =
    actingUserId === undefined || isOwn
      ? undefined
      : await findActing(tx, { connectionId, userId: actingUserId, objects });
  const used = (acting && (await keepConnection(tx, acting.id))) ?? named;
  // a service acts for nobody unless it says so
  const isByUser = actor.kind === 'user';
  requireOwn(used, actingUserId ?? (isByUser ? actor.id : ''), 'connectionId');
  return used;
}

async function checkSteps(
  tx: Tx,
  command: WriteCommand,
  { connection, withValues }: { connection: Connection; withValues?: boolean },
): Promise<void> {
  const catalogues = new Map<PipedriveObject, KnownFields>();
  for (const object of new Set(command.steps.map((step) => step.object))) {
    const catalogue = await findCatalogue(tx, connection.id, object);
    // fields not read yet, or to be read again, are left to the plan or to Pipedrive's own judgement
    if (catalogue === undefined || catalogue.is_stale || catalogue.fields.length === 0) continue;
    catalogues.set(object, new Map(catalogue.fields.map((field) => [field.code, field])));
  }
  const problems = command.steps.flatMap((step, index) => {
    const earlier = command.steps.slice(0, index).map(({ name }) => name);
    const found = checkStep(step, { earlier, fields: catalogues.get(step.object), withValues });
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
    { reason: first.reason, field: first.path, fix: first.fix },
  );
}
