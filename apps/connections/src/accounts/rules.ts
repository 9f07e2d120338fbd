import type {
  ConnectionId,
  ConnectionStatus,
  PipedriveFeature,
  ReasonCode,
  Role,
} from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { Failure } from '@manifold/pipedrive';
import type { Pace } from '../webhooks/rules.ts';
import type { Connection } from './tables.ts';

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

/** Somebody has to act at Pipedrive first. */
const LATER_MS = 4 * 3_600_000;

/** When a connection is looked after next: daily, soon when something is still missing, or in hours. */
export const nextUpkeep = (now: Date, { pace }: { pace: Pace }): Date =>
  new Date(now.getTime() + { normal: DAY_MS, soon: SOON_MS, later: LATER_MS }[pace]);

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

/** A connection whose credential is dead stays broken when it is switched on again. */
export const decideEnabling = ({
  broken_since,
}: Pick<Connection, 'broken_since'>): ConnectionStatus =>
  broken_since === null ? 'ACTIVE' : 'NEEDS_REAUTH';

export const administers = (role: Role): boolean => role === 'ADMIN' || role === 'OWNER';

/** What an administrator switched off stays so when its owner connects again. */
export const decideStatus = (
  existing: Pick<Connection, 'status' | 'disabled_by'> | undefined,
  by: { userId: string; byAdmin: boolean },
): ConnectionStatus =>
  existing?.status === 'DISABLED' && !by.byAdmin && existing.disabled_by !== by.userId
    ? existing.status
    : 'ACTIVE';

/** The company's name, with the user's id where that alone does not say which connection is meant. */
export const nameOf = (
  { kind, company_name, pipedrive_user_id }: Connection,
  ofOrganization: readonly Connection[],
): string =>
  kind === 'ORGANIZATION' && ofOrganization.length <= 1
    ? company_name
    : `${company_name} (user ${pipedrive_user_id})`;

type Stopped = Pick<Connection, 'status' | 'status_reason'> &
  Partial<Pick<Connection, 'kind' | 'user_id' | 'disabled_by'>>;

/** What a person can do about a connection that does not work; undefined when it does. */
export function fixOf(connection: Stopped): string | undefined {
  const { status, status_reason } = connection;
  switch (status) {
    case 'ACTIVE':
      return undefined;
    case 'DISABLED':
      return switchingOn(connection);
    case 'NEEDS_REAUTH':
      return status_reason === 'user_deactivated'
        ? 'Have the user activated in Pipedrive, which is noticed within a day, or at once with enableConnection; or connect another user, best one made for Manifold alone.'
        : 'Connect the same user of the company again; what waits is kept.';
  }
}

/** Whoever switched a personal connection off is who switches it on, its owner or an administrator. */
function switchingOn({ kind, user_id, disabled_by }: Stopped): string {
  if (kind !== 'PERSONAL') return 'Switch it on with the mutation enableConnection.';
  return disabled_by === user_id
    ? 'Its owner switched it off, and can switch it on with the mutation enableConnection.'
    : 'An administrator of the workspace switched it off: ask one to switch it on with the mutation enableConnection.';
}

/** What broke a connection, as far as Pipedrive lets it be known; undefined when nothing did. */
export function causeOf({
  broken_since,
  method,
  status_reason,
}: Pick<Connection, 'broken_since' | 'method' | 'status_reason'>): string | undefined {
  if (broken_since === null) return undefined;
  if (status_reason === 'app_removed') return 'The app was removed in Pipedrive by its user.';
  if (status_reason === 'user_deactivated') return 'The user was deactivated in Pipedrive.';
  return method === 'API_TOKEN'
    ? 'Pipedrive no longer accepts the API token: it was replaced, its user was deactivated, or API access was switched off for them.'
    : 'Pipedrive no longer accepts the consent: it was taken back, its user was deactivated, or it lay unused for 60 days.';
}

/** The refusal for a connection that may not be used now. */
export const refuseAccess = (
  connection: Stopped & Pick<Connection, 'id'>,
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
      return refuseScope(failure);
    case 'not_sent':
    case 'unknown':
    case 'unavailable':
      return unreachable(failure.cause);
  }
}

/** Names feature, scope and fix where whoever made the call knew its connection. */
function refuseScope(failure: Extract<Failure, { outcome: 'scope_missing' }>): Refusal {
  const known: { outcome: string } & Partial<MissingScope> = failure;
  const { feature, scopes = [], fix } = known;
  const what = feature === undefined ? 'this' : `${feature} (${scopes.join(', ') || 'see fix'})`;
  return new Refusal('precondition', `The connection lacks a permission for ${what}`, {
    reason: 'scope_missing',
    fix: fix ?? 'Add the scope to the app in the Developer Hub, then connect again.',
  });
}

/** What a client of a connection adds to the outcome `scope_missing`. */
export interface MissingScope {
  feature: PipedriveFeature;
  scopes: string[];
  fix: string;
}

/** `cause` is a code such as ECONNREFUSED or http_502. */
export const unreachable = (cause: string): Refusal =>
  new Refusal('unavailable', `Pipedrive could not be reached (${cause})`, {
    reason: 'pipedrive_unreachable',
    fix: 'Try again in a moment.',
  });
