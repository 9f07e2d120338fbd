import type { FieldDefinition } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { operations, type PipedriveClient } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { AdmittingClient, PipedriveAccess } from '../../accounts/calling/client.ts';
import { createGuardedClient } from '../../accounts/calling/guarded-client.ts';
import { findGrant } from '../../accounts/grants/store.ts';
import { findConnection } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import { chargeOf } from '../../budget/answers/rules.ts';
import { featureOf } from '../../changes/origin.ts';
import { type Change, findChange } from '../../changes/rows/store.ts';
import { findFields } from '../../fields/store.ts';
import { type Link, type LinkKeys, listLinks } from '../../links/store.ts';
import type { Db, Tx } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { openBody, openSent, type Sent } from '../body.ts';
import { bodyWithCarried } from '../carried/rules.ts';
import { listAllCarried } from '../carried/store.ts';
import type { ChangeLists } from './resolving/change-lists.ts';
import { readSearched, type Searched } from './searched/searched.ts';
import { hasFollower } from './store.ts';
import { lineUpForRecords } from './turns/store.ts';
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
  /** Records it stands in line for. */
  recordIds: readonly string[];
  /** Another step comes first on one of them, or has sent what is not over. */
  mustWait: boolean;
  /** Of a change set: what was planned. */
  change: Change | undefined;
  /** Another step waits for the same record. */
  isFollowed: boolean;
  /** What it is to write, with what others handed over to it. */
  body: StepBody;
  /** The same without. */
  ownBody: StepBody;
  carriedCount: number;
  /** What the call in doubt sent. */
  sent: Sent | undefined;
  client: PipedriveClient;
  /** What searches have shown, now and at the last try; grows. */
  searched: Searched;
  /** Takes a place for a call; what it would end with when there is none. */
  admit: AdmittingClient['admit'];
  /** Gives up a place for a call that was not made. */
  giveBack: AdmittingClient['giveBack'];
  /** Tokens spent since this was last asked. */
  takeSpent: () => number;
  /** Runs a transaction; what it took as spent is there for the next one when it fails. */
  keepSpent: <Result>(work: () => Promise<Result>) => Promise<Result>;
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
    ...(await readAccount(tx, connectionId)),
    definitions: await findFields(tx, connectionId, step.object),
    ...(await lineUp(tx, step)),
    // nothing is handed over to or by a step of a change set
    carried: step.change_id === null ? await listAllCarried(tx, step) : [],
    isFollowed: step.change_id === null && (await hasFollower(tx, step)),
    change: step.change_id === null ? undefined : await findChange(tx, step.change_id),
  }));
  const { request, connection, grant } = found;
  if (!request || !connection) return undefined;
  const changeSetId = request.change_set_id ?? undefined;
  const feature =
    changeSetId === undefined ? request.cause_service : featureOf(request, 'applying');
  const use = { lane: step.lane, feature, changeSetId };
  const client = await deps.clientFor(workspaceId, connectionId, use, { connection, grant });
  return {
    ...found,
    ...countSpending(client),
    admit: client.admit,
    giveBack: client.giveBack,
    step,
    request,
    connection,
    body: bodyWithCarried(step, found.carried, (one) => openBody(deps.vault, one)),
    ownBody: openBody(deps.vault, step),
    carriedCount: found.carried.length,
    sent: openSent(deps.vault, step),
    searched: readSearched(step.searched, deps.now()),
  };
}

/** Through what the step is sent, and what the credential is made of. */
async function readAccount(tx: Db, id: Step['connection_id']) {
  const connection = await findConnection(tx, id);
  const grantId = connection?.grant_id ?? null;
  return { connection, grant: grantId === null ? undefined : await findGrant(tx, grantId) };
}

/** What its keys mean by now, and its place in line for that. */
async function lineUp(tx: Db, step: Step): Promise<Pick<Held, 'links' | 'recordIds' | 'mustWait'>> {
  const links = await listLinks(tx, linkKeysOf(step));
  const linked = links.flatMap(({ state, pipedrive_id }) =>
    state === 'linked' && pipedrive_id !== null ? [pipedrive_id] : [],
  );
  const named = step.target_pipedrive_id === null ? [] : [step.target_pipedrive_id];
  const recordIds = [...new Set([...linked, ...named])];
  return { links, recordIds, mustWait: await lineUpForRecords(tx, step, recordIds) };
}

/** The same client, adding up what its calls cost. */
export function countSpending(
  client: PipedriveClient,
): Pick<Held, 'client' | 'takeSpent' | 'keepSpent'> {
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
  const keepSpent = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const before = tokens;
    let isEntered = false;
    try {
      const result = await work();
      isEntered = true;
      return result;
    } finally {
      if (!isEntered) tokens = before;
    }
  };
  return { client: counting, takeSpent, keepSpent };
}

/** A transaction on a step in hand, in which what was spent on it may be entered. */
export function withHeld<Result>(
  deps: Pick<SendingDeps, 'db'>,
  held: Pick<Held, 'step'> & Partial<Pick<Held, 'keepSpent'>>,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const run = () => withWorkspace(deps.db, held.step.workspace_id, work);
  return held.keepSpent === undefined ? run() : held.keepSpent(run);
}
