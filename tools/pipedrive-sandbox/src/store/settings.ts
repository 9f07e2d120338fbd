import type { Database } from './database.ts';

export function findSetting(db: Database, key: string): string | undefined {
  return db.find<{ value: string }>('select value from setting where key = ?', key)?.value;
}

export function saveSetting(db: Database, key: string, value: string): void {
  db.run('insert or replace into setting (key, value) values (?, ?)', key, value);
}

export function removeSetting(db: Database, key: string): void {
  db.run('delete from setting where key = ?', key);
}

/** Takes the next `count` numbers of a counter and returns the first of them. */
export function takeNumbers(db: Database, counter: string, count: number): number {
  const first = Number(findSetting(db, counter) ?? 1);
  saveSetting(db, counter, String(first + count));
  return first;
}
