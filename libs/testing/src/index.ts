export { createTestDatabase, type TestDatabase } from './database.ts';
export { eventually } from './eventually.ts';
export { captureLog, silentLog } from './log.ts';
export { startTestNats, type TestNats } from './nats.ts';
export { startTestPipedrive } from './pipedrive.ts';
