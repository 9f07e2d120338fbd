export { createClock, type TestClock } from './clock.ts';
export { createTestDatabase, type TestDatabase } from './database.ts';
export { eventually } from './eventually.ts';
export { startTestGraph, type TestCaller, type TestGraph } from './graph.ts';
export { captureLog, silentLog } from './log.ts';
export { startTestNats, type TestNats } from './nats.ts';
export { startTestPipedrive } from './pipedrive.ts';
