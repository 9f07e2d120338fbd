import type { ConnectionId, ConnectionStatus, ReasonCode } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { Failure } from '@manifold/pipedrive';
import type { Connection } from './tables.ts';

/** A token is renewed when this share of its life has passed. */
const RENEW_AT = 0.8;

export const refreshTimeOf = (issuedAt: Date, livesSeconds: number): Date =>
  new Date(issuedAt.getTime() + livesSeconds * RENEW_AT * 1000);

export type Access = { outcome: 'open' } | { outcome: 'refuse'; reason: ReasonCode };

/** Whether anything may be asked of Pipedrive with this connection. */
export function decideAccess({ status }: Pick<Connection, 'status'>): Access {
  switch (status) {
    case 'ACTIVE':
      return { outcome: 'open' };
    case 'DISABLED':
      return { outcome: 'refuse', reason: 'connection_disabled' };
    case 'NEEDS_REAUTH':
      return { outcome: 'refuse', reason: 'connection_needs_reauth' };
  }
}

const DAY_MS = 24 * 3_600_000;
const SOON_MS = 15 * 60_000;

/** When a connection is looked after next: daily, or soon when something is still missing. */
export const nextUpkeep = (now: Date, { isComplete }: { isComplete: boolean }): Date =>
  new Date(now.getTime() + (isComplete ? DAY_MS : SOON_MS));

/** The connection, if anything may be asked of Pipedrive with it; throws the refusal otherwise. */
export function requireUsable(
  connection: Connection | undefined,
  id: ConnectionId,
  field?: string,
): Connection {
  const found = requireFound(connection, id, field);
  const access = decideAccess(found);
  if (access.outcome === 'refuse') throw refuseAccess(found, access.reason);
  return found;
}

/** One answer for an id that does not exist and one of another workspace; `field` is where it was given. */
export function requireFound(
  connection: Connection | null | undefined,
  id: string,
  field?: string,
): Connection {
  if (connection) return connection;
  throw new Refusal('not_found', `There is no connection ${id}`, {
    reason: 'record_not_found',
    ...(field === undefined ? {} : { field }),
    fix: 'Use the id of one of `connections`.',
  });
}

/** True until the token should be renewed; API tokens do not age. */
export const isFresh = ({ refresh_at }: Pick<Connection, 'refresh_at'>, now: Date): boolean =>
  refresh_at === null || now < refresh_at;

export const isAlive = ({ expires_at }: Pick<Connection, 'expires_at'>, now: Date): boolean =>
  expires_at === null || now < expires_at;

/** A connection whose grant is gone stays broken when it is switched on again. */
export const decideEnabling = (
  connection: Pick<Connection, 'status' | 'status_reason'>,
): ConnectionStatus => (connection.status_reason === 'token_rejected' ? 'NEEDS_REAUTH' : 'ACTIVE');

/** A second connecting by one user may widen a personal connection, never narrow an organization's. */
export const decideKind = (
  existing: Connection['kind'] | undefined,
  asked: Connection['kind'],
): Connection['kind'] => (existing === 'ORGANIZATION' ? existing : asked);

/** The company's name, with the user's id where that alone does not say which connection is meant. */
export const nameOf = (
  { kind, company_name, pipedrive_user_id }: Connection,
  ofOrganization: readonly Connection[],
): string =>
  kind === 'ORGANIZATION' && ofOrganization.length <= 1
    ? company_name
    : `${company_name} (user ${pipedrive_user_id})`;

/** What a person can do about a connection that does not work; undefined when it does. */
export function fixOf({ status, status_reason }: Pick<Connection, 'status' | 'status_reason'>) {
  if (status === 'ACTIVE') return undefined;
  if (status === 'DISABLED') return 'Switch it on with the mutation enableConnection.';
  return status_reason === 'token_rejected'
    ? 'Pipedrive no longer accepts the credential. Connect the same user of the company again; what waits is kept.'
    : 'Connect the same user of the company again; what waits is kept.';
}

/** The refusal for a connection that may not be used now. */
export const refuseAccess = (
  connection: Pick<Connection, 'id' | 'status' | 'status_reason'>,
  reason: ReasonCode,
): Refusal => {
  const fix = fixOf(connection);
  const is = connection.status === 'DISABLED' ? 'is switched off' : 'has to be connected again';
  return new Refusal('precondition', `The connection ${connection.id} ${is}`, {
    reason,
    ...(fix === undefined ? {} : { fix }),
  });
};

/** What a failed call means to whoever asked for it; the text holds no value and no credential. */
export function refusalOf(failure: Failure): Refusal {
  switch (failure.outcome) {
    case 'refused':
      return new Refusal('invalid', `Pipedrive refused: ${failure.message}`, {
        reason: 'pipedrive_refused',
        ...(failure.fieldCode === undefined ? {} : { field: failure.fieldCode }),
      });
    case 'unauthorized':
      return new Refusal('precondition', 'Pipedrive does not accept the credential', {
        reason: 'token_rejected',
        fix: 'Connect the user of the company again.',
      });
    case 'limited':
      return new Refusal('limited', 'The API budget does not allow this call now', {
        reason: failure.kind === 'daily' ? 'budget_spent' : 'burst_limited',
        fix: `Try again in ${Math.ceil(failure.retryAfterMs / 1000)} s.`,
      });
    case 'blocked':
      return new Refusal('unavailable', 'Pipedrive has blocked this credential for a while', {
        reason: 'pipedrive_blocked',
        fix: 'Wait: calling on makes it last longer.',
      });
    case 'scope_missing':
      return new Refusal('precondition', 'The connected app lacks a permission for this', {
        reason: 'scope_missing',
        fix: 'Add the scope to the app in the Developer Hub, then connect again.',
      });
    case 'not_sent':
    case 'unknown':
    case 'unavailable':
      return unreachable(failure.cause);
  }
}

/** `cause` is a code such as ECONNREFUSED or http_502. */
export const unreachable = (cause: string): Refusal =>
  new Refusal('unavailable', `Pipedrive could not be reached (${cause})`, {
    reason: 'pipedrive_unreachable',
    fix: 'Try again in a moment.',
  });
