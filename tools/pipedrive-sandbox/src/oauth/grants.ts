import { randomBytes } from 'node:crypto';
import type { Database } from '../store/database.ts';

/** An app registered in the sandbox's developer hub. The first redirect URI also gets the uninstall call. */
export interface App {
  clientId: string;
  clientSecret: string;
  name: string;
  redirectUris: string[];
  scopes: string[];
}

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

export function saveApp(db: Database, app: App): void {
  const sql = 'insert or replace into app (client_id, data) values (?, ?)';
  db.run(sql, app.clientId, JSON.stringify(app));
}

export function findApp(db: Database, clientId: string): App | undefined {
  const row = db.find<{ data: string }>('select data from app where client_id = ?', clientId);
  return row && JSON.parse(row.data);
}

export function listApps(db: Database): App[] {
  const rows = db.list<{ data: string }>('select data from app order by client_id');
  return rows.map((row): App => JSON.parse(row.data));
}

/** Every app has `base`, asked for or not. */
export function scopeOf(app: App): string {
  return [...new Set([...app.scopes, 'base'])].join(',');
}

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
  const token = `${userId}:${randomBytes(4).readUInt32BE()}:${randomBytes(20).toString('hex')}`;
  db.run(
    `insert into app_grant (client_id, user_id, refresh_token, scope, used_ms) values (?, ?, ?, ?, ?)
     on conflict (client_id, user_id) do update set scope = excluded.scope, used_ms = excluded.used_ms`,
    clientId,
    userId,
    token,
    scope,
    nowMs,
  );
  const sql = 'select * from app_grant where client_id = ? and user_id = ?';
  const grant = db.find<Grant>(sql, clientId, userId);
  if (grant === undefined) throw new Error('The grant was not stored');
  return grant;
}

export function findGrantByRefreshToken(db: Database, token: string): Grant | undefined {
  return db.find('select * from app_grant where refresh_token = ?', token);
}

export function findGrant(db: Database, clientId: string, userId: number): Grant | undefined {
  return db.find('select * from app_grant where client_id = ? and user_id = ?', clientId, userId);
}

export function listGrants(db: Database): Pick<Grant, 'client_id' | 'user_id' | 'scope'>[] {
  return db.list('select client_id, user_id, scope from app_grant order by id');
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

/** The app is uninstalled for this user: tokens and the app's webhooks go with the consent. */
export function removeGrant(db: Database, grant: Grant): void {
  db.transaction(() => {
    db.run('delete from access_token where grant_id = ?', grant.id);
    db.run('delete from code where client_id = ? and user_id = ?', grant.client_id, grant.user_id);
    const sql = 'delete from webhook where client_id = ? and owner_id = ?';
    db.run(sql, grant.client_id, grant.user_id);
    db.run('delete from app_grant where id = ?', grant.id);
  });
}
