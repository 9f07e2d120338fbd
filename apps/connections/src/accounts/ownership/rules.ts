import type { Role, UserId } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { administers } from '../rules.ts';
import type { Connection } from '../tables.ts';

/** Whether somebody may see and do what this connection may: the organization's is everybody's. */
export const isOwn = (
  connection: { kind: 'ORGANIZATION' | 'PERSONAL'; user_id: string },
  userId: string,
): boolean => connection.kind === 'ORGANIZATION' || connection.user_id === userId;

/** With somebody's own connection one sees and does what that person may, so nobody else uses it. */
export function requireOwn(
  connection: { id: string; kind: 'ORGANIZATION' | 'PERSONAL'; user_id: string },
  userId: string,
  field: string,
): void {
  if (isOwn(connection, userId)) return;
  throw new Refusal('forbidden', `The connection ${connection.id} is of another person`, {
    reason: 'connection_of_another_user',
    field,
    fix: 'Use the connection of the organization, or connect yourself.',
  });
}

/** Somebody who changes a connection itself. */
export interface Manager {
  userId: UserId;
  /** Has the role ADMIN at least. */
  byAdmin: boolean;
}

/** Somebody who asks in the graph. */
export const managerOf = ({ userId, role }: { userId: UserId; role: Role }): Manager => ({
  userId,
  byAdmin: administers(role),
});

type Managed = Pick<Connection, 'id' | 'kind' | 'user_id' | 'status' | 'disabled_by'>;

/** A connection of the whole workspace is an administrator's matter; one's own is one's own, or theirs. */
export function requireManaging(connection: Managed, by: Manager, field: string): void {
  if (by.byAdmin) return;
  if (connection.kind === 'ORGANIZATION') throw refuseRole();
  requireOwn(connection, by.userId, field);
}

/**
 * What is done with a connection itself, and with what is kept of it: an administrator's matter for the
 * organization's, the owner's alone for their own.
 */
export function requireUpkeep(connection: Managed, by: Manager, field: string): void {
  requireOwn(connection, by.userId, field);
  if (connection.kind === 'ORGANIZATION' && !by.byAdmin) throw refuseRole();
}

/** Whoever switched it off decides: its owner for what they switched off, administrators for the rest. */
export function requireEnabling(connection: Managed, by: Manager, field: string): void {
  requireManaging(connection, by, field);
  const { kind, user_id: owner, disabled_by: disabledBy } = connection;
  if (connection.status !== 'DISABLED' || kind === 'ORGANIZATION') return;
  if (disabledBy !== owner && !by.byAdmin) throw refuseSwitchedOff(field);
  if (disabledBy === owner && by.userId !== owner) throw refuseOwnersWord(field);
}

/** Whether a connection that is removed, and so is off, is off by another’s word than its owner’s. */
export const staysSwitchedOff = (
  connection: Pick<Connection, 'kind' | 'user_id' | 'disabled_by'>,
  by: Manager,
): boolean =>
  connection.kind === 'PERSONAL' && !by.byAdmin && connection.disabled_by !== connection.user_id;

const refuseSwitchedOff = (field: string): Refusal =>
  new Refusal('forbidden', 'An administrator of the workspace switched this connection off', {
    reason: 'switched_off_by_administrator',
    field,
    fix: 'Ask an administrator of the workspace to switch it on.',
  });

const refuseOwnersWord = (field: string): Refusal =>
  new Refusal('forbidden', 'Its owner switched this connection off', {
    reason: 'connection_of_another_user',
    field,
    fix: 'Ask its owner to switch it on: nobody else may.',
  });

/** The refusal for whoever may not decide what holds for a company the whole workspace is connected to. */
export const refuseCompanyRole = (): Refusal =>
  new Refusal('forbidden', 'What holds for the whole company in Pipedrive needs the role ADMIN', {
    reason: 'role_too_low',
    fix: 'Ask an administrator of the workspace.',
  });

/** The refusal for whoever may not decide about a connection of the whole workspace. */
export const refuseRole = (): Refusal =>
  new Refusal('forbidden', 'A connection of the whole workspace needs the role ADMIN', {
    reason: 'role_too_low',
    fix: 'Ask an administrator of the workspace.',
  });
