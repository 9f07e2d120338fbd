import { createHash, randomBytes } from 'node:crypto';
import type { Database } from '../store/database.ts';
import { findSetting, saveSetting } from '../store/settings.ts';
import { spacedTime } from '../times.ts';

export interface Company {
  id: number;
  name: string;
  domain: string;
  country: string;
  industry: string;
}

export interface User {
  id: number;
  name: string;
  email: string;
  admin: boolean;
  /** A deactivated user keeps the id and can do nothing. */
  active: boolean;
  apiToken: string;
  created: string;
}

const FIRST_COMPANY: Company = {
  id: 8_087_001,
  name: 'Sandbox Inc',
  domain: 'sandbox',
  country: 'EE',
  industry: 'IT Services',
};

const FIRST_USERS = [
  { id: 12_415_001, name: 'Ada Admin', email: 'ada@sandbox.example', admin: true },
  { id: 12_415_002, name: 'Ben Sales', email: 'ben@sandbox.example', admin: false },
  { id: 12_415_003, name: 'Cleo Sales', email: 'cleo@sandbox.example', admin: false },
];

/** Makes the company and its users on the first start; later starts find them as they were. */
export function seedCompany(db: Database, seed: string | undefined, now: Date): void {
  if (findSetting(db, 'company') !== undefined) return;
  saveSetting(db, 'company', JSON.stringify(FIRST_COMPANY));
  for (const user of FIRST_USERS) {
    const apiToken = makeToken(seed, `user ${user.id}`);
    const data = { ...user, created: spacedTime(now) };
    const sql = 'insert into user (id, api_token, data) values (?, ?, ?)';
    db.run(sql, user.id, apiToken, JSON.stringify(data));
  }
}

/** 40 hex digits: random, or always the same for one seed. */
function makeToken(seed: string | undefined, purpose: string): string {
  if (seed === undefined) return randomBytes(20).toString('hex');
  return createHash('sha1').update(`${seed} ${purpose}`).digest('hex');
}

export function readCompany(db: Database): Company {
  const text = findSetting(db, 'company');
  if (text === undefined) throw new Error('The data file holds no company');
  return JSON.parse(text);
}

interface UserRow {
  api_token: string;
  data: string;
}

export function listUsers(db: Database): User[] {
  return db.list<UserRow>('select api_token, data from user order by id').map(readUser);
}

export function findUser(db: Database, id: number): User | undefined {
  const row = db.find<UserRow>('select api_token, data from user where id = ?', id);
  return row && readUser(row);
}

export function saveUser(db: Database, { apiToken: _token, ...data }: User): void {
  db.run('update user set data = ? where id = ?', JSON.stringify(data), data.id);
}

export function findUserByToken(db: Database, apiToken: string): User | undefined {
  const row = db.find<UserRow>('select api_token, data from user where api_token = ?', apiToken);
  return row && readUser(row);
}

function readUser(row: UserRow): User {
  return { active: true, ...JSON.parse(row.data), apiToken: row.api_token };
}
