import { randomUUID } from 'node:crypto';
import type { ConnectionId, FieldDefinition, UserId, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Failure, PipedriveClient } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import { refusalOf } from '../../accounts/rules.ts';
import { findConnection } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import type { Db } from '../../store.ts';
import { keepCatalogue, keepMadeField } from '../keeping.ts';
import {
  decideFailure,
  decideField,
  EXTERNAL_ID_NAME,
  type ExternalIdObject,
  findOwnField,
  isOpen,
  MAKING_MS,
} from './rules.ts';
import {
  allowField,
  disallowFields,
  findExternalIdField,
  forgetField,
  leaseField,
  settleField,
} from './store.ts';

export interface ExternalIdDeps {
  db: Db;
  now: () => Date;
  log: Logger;
}

export interface ExternalIdQuestion {
  workspaceId: WorkspaceId;
  connectionId: ConnectionId;
  companyId: string;
  object: ExternalIdObject;
  /** Whether a field that is not there may be made; absent: it may. */
  mayMake?: (tx: Db) => Promise<boolean>;
}

/**
 * The custom field that carries our own id in new records. Made at the first create after somebody
 * agreed to it, never before; found again when it is there. Undefined: write without it, because
 * nobody agreed, Pipedrive refused it for now, or it may not be made. Throws a `Refusal` worth retrying while Pipedrive
 * cannot be asked or another replica is making it.
 */
export async function externalIdField(
  deps: ExternalIdDeps,
  question: ExternalIdQuestion,
  client: PipedriveClient,
): Promise<{ code: string } | undefined> {
  const owner = randomUUID();
  const decision = await withWorkspace(deps.db, question.workspaceId, async (tx) => {
    const now = deps.now();
    const decided = decideField(await findExternalIdField(tx, question), now);
    if (decided.outcome !== 'make') return decided;
    if (question.mayMake && !(await question.mayMake(tx))) return { outcome: 'without' } as const;
    return (await leaseField(tx, question, leaseOf(owner, now))) ? decided : undefined;
  });
  if (decision === undefined) throw beingMade();
  if (decision.outcome === 'without') return undefined;
  if (decision.outcome === 'use') return { code: decision.code };
  return makeField(deps, { ...question, owner }, client);
}

const leaseOf = (owner: string, now: Date) => ({
  ...{ owner, now },
  until: new Date(now.getTime() + MAKING_MS),
});

/** Pipedrive said that the field is not there any more: it is made again at the next create. */
export async function forgetExternalIdField(
  { db, now }: ExternalIdDeps,
  question: ExternalIdQuestion & { code: string },
): Promise<void> {
  await withWorkspace(db, question.workspaceId, (tx) =>
    forgetField(tx, question, { code: question.code, foundBefore: now() }),
  );
}

/** Keeps who agreed that Pipedrive may be given a field for our own ids. */
export async function allowExternalId(
  { db, now }: Pick<ExternalIdDeps, 'db' | 'now'>,
  connection: Connection,
  consent: { objects: readonly ExternalIdObject[]; by: UserId },
): Promise<void> {
  await withWorkspace(db, connection.workspace_id, async (tx) => {
    for (const object of consent.objects) {
      await allowField(tx, {
        workspace_id: connection.workspace_id,
        company_id: connection.company_id,
        object,
        connection_id: connection.id,
        allowed_by: consent.by,
        allowed_at: now(),
      });
    }
  });
}

/** Takes consents back. What Pipedrive has stays there; nothing more is written to it. */
export async function disallowExternalId(
  db: Db,
  connection: Connection,
  objects: readonly ExternalIdObject[],
): Promise<void> {
  await withWorkspace(db, connection.workspace_id, (tx) =>
    disallowFields(tx, connection.company_id, objects),
  );
}

const beingMade = (): Refusal =>
  new Refusal('unavailable', 'The field for external ids is being made', {
    reason: 'service_unavailable',
    fix: 'Try again in a moment.',
  });

/** Looks before it makes one: an earlier try of unknown end may have. */
async function makeField(
  deps: ExternalIdDeps,
  question: ExternalIdQuestion & { owner: string },
  client: PipedriveClient,
): Promise<{ code: string } | undefined> {
  const { object, owner, workspaceId } = question;
  const askedAt = deps.now();
  const listed = await client.listFields(object);
  if (listed.outcome !== 'ok') return giveUp(deps, question, listed);
  const own = findOwnField(listed.data);
  const fields = listed.data;
  if (own !== undefined) return keepField(deps, question, { fields, own, askedAt });
  // reading may have taken long, and somebody else has begun meanwhile
  const isOurs = await withWorkspace(deps.db, workspaceId, (tx) =>
    leaseField(tx, question, leaseOf(owner, deps.now())),
  );
  if (!isOurs) throw beingMade();
  const made = await client.createField(object, { name: EXTERNAL_ID_NAME, type: 'varchar' });
  if (made.outcome !== 'ok') return giveUp(deps, question, made);
  return keepField(deps, question, { fields, own: made.data, askedAt });
}

async function keepField(
  deps: ExternalIdDeps,
  question: ExternalIdQuestion,
  found: { fields: FieldDefinition[]; own: FieldDefinition; askedAt: Date },
): Promise<{ code: string }> {
  const { workspaceId, connectionId, object } = question;
  const { own: field, ...read } = found;
  const { code } = field;
  // before it is settled: a list without it would have it forgotten
  const connection = await withWorkspace(deps.db, workspaceId, (tx) =>
    findConnection(tx, connectionId),
  );
  if (connection !== undefined) {
    await keepCatalogue(deps, connection, { object, ...read });
    await keepMadeField(deps, connection, { object, field });
  }
  await withWorkspace(deps.db, workspaceId, (tx) =>
    settleField(tx, question, { code, at: deps.now() }),
  );
  deps.log.info({ connection: connectionId, object }, 'external id field found or made');
  return { code };
}

async function giveUp(
  deps: ExternalIdDeps,
  question: ExternalIdQuestion,
  failure: Failure,
): Promise<undefined> {
  const { workspaceId, connectionId: connection, object } = question;
  const at = deps.now();
  const decision = decideFailure(failure, at);
  deps.log.warn({ connection, object, outcome: failure.outcome }, 'external id field not made');
  if (decision.outcome === 'no') {
    await withWorkspace(deps.db, workspaceId, (tx) =>
      settleField(tx, question, { code: null, at, refused: decision }),
    );
    return undefined;
  }
  if (!isOpen(failure)) {
    await withWorkspace(deps.db, workspaceId, (tx) =>
      settleField(tx, question, { code: null, at }),
    );
  }
  throw refusalOf(failure);
}
