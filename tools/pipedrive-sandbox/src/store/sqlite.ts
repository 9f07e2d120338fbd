import process from 'node:process';

// node:sqlite announces itself as experimental when it loads; nothing else is silenced
// oxlint-disable-next-line typescript/unbound-method -- called with process as `this` below
const emitWarning = process.emitWarning;
process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
  if (String(warning).includes('SQLite is an experimental feature')) return;
  Reflect.apply(emitWarning, process, [warning, ...rest]);
};
export const { DatabaseSync } = await import('node:sqlite');
process.emitWarning = emitWarning;
