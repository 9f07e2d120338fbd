import type { Database } from '../store/database.ts';

/** An app registered in the sandbox's developer hub. The first redirect URI also gets the uninstall call. */
export interface App {
  clientId: string;
  clientSecret: string;
  name: string;
  redirectUris: string[];
  scopes: string[];
}

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
