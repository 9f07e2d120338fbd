import { randomBytes } from 'node:crypto';
import type { Database } from '../store/database.ts';

/** One user's consent to one app. */
export interface Grant {
  id: number;
  client_id: string;
  user_id: number;
  refresh_token: string;
  /** As in token answers: comma separated. */
  scope: string;
  used_ms: number;
}

export const CODE_LIFE_MS = 5 * 60_000;
export const ACCESS_TOKEN_LIFE_MS = 60 * 60_000;
export const REFRESH_TOKEN_LIFE_MS = 60 * 24 * 60 * 60_000;

export interface Code {
  code: string;
  client_id: string;
  user_id: number;
  redirect_uri: string;
  expires_ms: number;
  used: number;
}

export function insertCode(db: Database, code: Omit<Code, 'used' | 'code'>): string {
  const text = randomBytes(20).toString('hex');
  db.run('delete from code where expires_ms < ?', code.expires_ms - CODE_LIFE_MS * 12);
  db.run(
    'insert into code (code, client_id, user_id, redirect_uri, expires_ms) values (?, ?, ?, ?, ?)',
    text,
    code.client_id,
    code.user_id,
    code.redirect_uri,
    code.expires_ms,
  );
  return text;
}

export function findCode(db: Database, code: string): Code | undefined {
  return db.find('select * from code where code = ?', code);
}

/** Makes the consent, or finds the one that stands: an app has one refresh token per user. */
export function openGrant(
  db: Database,
  {
    clientId,
    userId,
    scope,
    nowMs,
  }: { clientId: string; userId: number; scope: string; nowMs: number },
): Grant {
  db.run(
    `insert into app_grant (client_id, user_id, refresh_token, scope, used_ms) values (?, ?, ?, ?, ?)
     on conflict (client_id, user_id) do update set scope = excluded.scope, used_ms = excluded.used_ms`,
    clientId,
    userId,
    makeRefreshToken(userId),
    scope,
    nowMs,
  );
  const sql = 'select * from app_grant where client_id = ? and user_id = ?';
  const grant = db.find<Grant>(sql, clientId, userId);
  if (grant === undefined) throw new Error('The grant was not stored');
  return grant;
}

function makeRefreshToken(userId: number): string {
  return `${userId}:${randomBytes(4).readUInt32BE()}:${randomBytes(20).toString('hex')}`;
}

/** Gives the grant another refresh token and remembers the old one as spent. */
export function rotateRefreshToken(db: Database, grant: Grant, nowMs: number): Grant {
  const token = makeRefreshToken(grant.user_id);
  db.run('delete from spent_refresh_token where spent_ms < ?', nowMs - REFRESH_TOKEN_LIFE_MS);
  const sql =
    'insert or ignore into spent_refresh_token (token, grant_id, spent_ms) values (?, ?, ?)';
  db.run(sql, grant.refresh_token, grant.id, nowMs);
  db.run('update app_grant set refresh_token = ? where id = ?', token, grant.id);
  return { ...grant, refresh_token: token };
}

export function findGrantBySpentToken(db: Database, token: string): Grant | undefined {
  return db.find(
    `select app_grant.* from spent_refresh_token
     join app_grant on app_grant.id = spent_refresh_token.grant_id where token = ?`,
    token,
  );
}

export function findGrantByRefreshToken(db: Database, token: string): Grant | undefined {
  return db.find('select * from app_grant where refresh_token = ?', token);
}

export function findGrant(db: Database, clientId: string, userId: number): Grant | undefined {
  return db.find('select * from app_grant where client_id = ? and user_id = ?', clientId, userId);
}

export function listGrants(db: Database): Omit<Grant, 'refresh_token'>[] {
  return db.list('select id, client_id, user_id, scope, used_ms from app_grant order by id');
}

export function touchGrant(db: Database, id: number, nowMs: number): void {
  db.run('update app_grant set used_ms = ? where id = ?', nowMs, id);
}

/** Pipedrive's access tokens are long and grow; this one has the length their documents warn of. */
export function insertAccessToken(db: Database, grantId: number, nowMs: number): string {
  const token = `v1u:${randomBytes(192).toString('base64url')}`;
  db.run('delete from access_token where expires_ms < ?', nowMs);
  const sql = 'insert into access_token (token, grant_id, expires_ms) values (?, ?, ?)';
  db.run(sql, token, grantId, nowMs + ACCESS_TOKEN_LIFE_MS);
  return token;
}

export function findGrantByAccessToken(
  db: Database,
  token: string,
  nowMs: number,
): Grant | undefined {
  return db.find(
    `select app_grant.* from access_token join app_grant on app_grant.id = access_token.grant_id
     where token = ? and expires_ms > ?`,
    token,
    nowMs,
  );
}

export function removeAccessToken(db: Database, token: string, clientId: string): void {
  db.run(
    `delete from access_token where token = ?
     and grant_id in (select id from app_grant where client_id = ?)`,
    token,
    clientId,
  );
}

/** How many there were. */
export function removeAccessTokens(db: Database, grantId: number): number {
  return db.run('delete from access_token where grant_id = ?', grantId).changes;
}

/** The app is uninstalled for this user: tokens and the app's webhooks go with the consent. */
export function removeGrant(db: Database, grant: Grant): void {
  db.transaction(() => {
    removeAccessTokens(db, grant.id);
    db.run('delete from spent_refresh_token where grant_id = ?', grant.id);
    db.run('delete from code where client_id = ? and user_id = ?', grant.client_id, grant.user_id);
    const sql = 'delete from webhook where client_id = ? and owner_id = ?';
    db.run(sql, grant.client_id, grant.user_id);
    db.run('delete from app_grant where id = ?', grant.id);
  });
}
