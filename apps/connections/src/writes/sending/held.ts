import type { FieldDefinition } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { operations, type PipedriveClient } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { AdmittingClient, PipedriveAccess } from '../../accounts/client.ts';
import { createGuardedClient } from '../../accounts/guarded-client.ts';
import { findConnection } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import { chargeOf } from '../../budget/answers/rules.ts';
import { findFields } from '../../fields/store.ts';
import { type Link, type LinkKeys, listLinks } from '../../links/store.ts';
import type { Db } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { openBody, openSent, type Sent } from '../body.ts';
import type { ChangeLists } from './change-lists.ts';
import { hasFollower } from './store.ts';
import type { StepBody } from '../rules.ts';
import { findRequest, listSteps, type Step, type WriteRequest } from '../store.ts';

export interface SendingDeps {
  db: Db;
  vault: Vault;
  clientFor: PipedriveAccess['clientFor'];
  /** How long a call of unknown end is left alone before anybody looks. */
  settleMs: number;
  /** Lists read while verifying, shared by the steps of one process. */
  lists?: ChangeLists;
  /** How old what an index knows may be; absent: as `lookUp` has it. */
  indexFreshMs?: number;
  now: () => Date;
  log: Logger;
}

/** A leased step with all that is needed to carry it out. */
export interface Held {
  step: Step;
  request: WriteRequest;
  /** All steps of the request, in order. */
  steps: readonly Step[];
  connection: Connection;
  definitions: readonly FieldDefinition[];
  /** What the step's keys mean. */
  links: readonly Link[];
  /** Another step waits for the same record. */
  isFollowed: boolean;
  body: StepBody;
  /** What the call in doubt sent. */
  sent: Sent | undefined;
  client: PipedriveClient;
  /** Takes a place for a call; what it would end with when there is none. */
  admit: AdmittingClient['admit'];
  /** Tokens spent since this was last asked. */
  takeSpent: () => number;
}

export const linkKeysOf = (step: Step): LinkKeys => ({
  workspaceId: step.workspace_id,
  companyId: step.company_id,
  object: step.object,
  keyHashes: step.key_hashes,
});

/** Undefined when the connection went away meanwhile. */
export async function holdStep(deps: SendingDeps, step: Step): Promise<Held | undefined> {
  const { workspace_id: workspaceId, connection_id: connectionId } = step;
  const found = await withWorkspace(deps.db, workspaceId, async (tx) => ({
    request: await findRequest(tx, step.write_request_id),
    steps: await listSteps(tx, [step.write_request_id]),
    connection: await findConnection(tx, connectionId),
    definitions: await findFields(tx, connectionId, step.object),
    links: await listLinks(tx, linkKeysOf(step)),
    isFollowed: await hasFollower(tx, step),
  }));
  const { request, connection } = found;
  if (!request || !connection) return undefined;
  const changeSetId = request.change_set_id ?? undefined;
  const use = { lane: step.lane, feature: request.cause_service, changeSetId };
  const client = await deps.clientFor(workspaceId, connectionId, use);
  return {
    ...found,
    ...countSpending(client),
    admit: client.admit,
    step,
    request,
    connection,
    body: openBody(deps.vault, step),
    sent: openSent(deps.vault, step),
  };
}

/** The same client, adding up what its calls cost. */
export function countSpending(client: PipedriveClient): Pick<Held, 'client' | 'takeSpent'> {
  let tokens = 0;
  const counting = createGuardedClient(async (operation, run) => {
    const outcome = await run(client);
    tokens += chargeOf({ ...operations[operation], outcome: outcome.outcome });
    return outcome;
  });
  const takeSpent = () => {
    const spent = tokens;
    tokens = 0;
    return spent;
  };
  return { client: counting, takeSpent };
}
