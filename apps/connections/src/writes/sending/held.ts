import type { FieldDefinition } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { operations, type PipedriveClient } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { PipedriveAccess } from '../../accounts/client.ts';
import { createGuardedClient } from '../../accounts/guarded-client.ts';
import { findConnection } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import { chargeOf } from '../../budget/answers/rules.ts';
import { findFields } from '../../fields/store.ts';
import type { Db } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { openBody, openSent, type Sent } from '../body.ts';
import type { StepBody } from '../rules.ts';
import { findRequest, listSteps, type Step, type WriteRequest } from '../store.ts';

export interface SendingDeps {
  db: Db;
  vault: Vault;
  clientFor: PipedriveAccess['clientFor'];
  /** How long a call of unknown end is left alone before anybody looks. */
  settleMs: number;
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
  body: StepBody;
  /** What the call in doubt sent. */
  sent: Sent | undefined;
  client: PipedriveClient;
  /** Tokens spent since this was last asked. */
  takeSpent: () => number;
}

/** Undefined when the connection went away meanwhile. */
export async function holdStep(deps: SendingDeps, step: Step): Promise<Held | undefined> {
  const { workspace_id: workspaceId, connection_id: connectionId } = step;
  const found = await withWorkspace(deps.db, workspaceId, async (tx) => ({
    request: await findRequest(tx, step.write_request_id),
    steps: await listSteps(tx, [step.write_request_id]),
    connection: await findConnection(tx, connectionId),
    definitions: await findFields(tx, connectionId, step.object),
  }));
  const { request, connection } = found;
  if (!request || !connection) return undefined;
  const use = { lane: step.lane, feature: request.cause_service };
  const client = await deps.clientFor(workspaceId, connectionId, use);
  return {
    ...found,
    ...countSpending(client),
    step,
    request,
    connection,
    body: openBody(deps.vault, step),
    sent: openSent(deps.vault, step),
  };
}

/** The same client, adding up what its calls cost. */
function countSpending(client: PipedriveClient): Pick<Held, 'client' | 'takeSpent'> {
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
