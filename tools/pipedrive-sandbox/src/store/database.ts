import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { schema } from './schema.ts';
import { DatabaseSync } from './sqlite.ts';

export interface Database {
  run(sql: string, ...values: SQLInputValue[]): { changes: number; id: number };
  find<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined;
  list<Row>(sql: string, ...values: SQLInputValue[]): Row[];
  /** Everything inside commits together; calls nest. */
  transaction<Result>(work: () => Result): Result;
  /** Runs after the outermost transaction commits, and not at all when it fails. */
  afterCommit(effect: () => void): void;
  close(): void;
}

/** Opens the data file, or a database in memory when there is none. */
export function openDatabase(file: string | undefined): Database {
  // the file holds tokens: its folder is the owner's alone
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const sqlite = new DatabaseSync(file ?? ':memory:');
  // a killed process loses nothing it committed; only a power cut could lose the last moments
  sqlite.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 2000');
  sqlite.exec(schema);

  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = sqlite.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const transactions = createTransactions((sql) => sqlite.exec(sql));

  return {
    run(sql, ...values) {
      const { changes, lastInsertRowid } = prepare(sql).run(...values);
      return { changes: Number(changes), id: Number(lastInsertRowid) };
    },
    // the caller names the columns it selects, so it names the row's type too
    find: <Row>(sql: string, ...values: SQLInputValue[]) =>
      prepare(sql).get(...values) as Row | undefined,
    list: <Row>(sql: string, ...values: SQLInputValue[]) => prepare(sql).all(...values) as Row[],
    ...transactions,
    close: () => sqlite.close(),
  };
}

function createTransactions(exec: (sql: string) => void) {
  let depth = 0;
  let effects: (() => void)[] = [];

  function transaction<Result>(work: () => Result): Result {
    if (depth > 0) return work();
    exec('begin immediate');
    depth += 1;
    try {
      const result = work();
      exec('commit');
      return result;
    } catch (error) {
      exec('rollback');
      effects = [];
      throw error;
    } finally {
      depth -= 1;
      for (const effect of effects.splice(0)) effect();
    }
  }

  function afterCommit(effect: () => void): void {
    if (depth === 0) effect();
    else effects.push(effect);
  }

  return { transaction, afterCommit };
}
