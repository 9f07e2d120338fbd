export * from './config.ts';
export * from './http.ts';
export { createLog } from './log.ts';
export * from './run.ts';
