export { createDatabase, dropDatabase, type ServiceDatabase } from './postgres/database.ts';
export type { PostgresServer } from './postgres/server.ts';
export { type PostgresOptions, startPostgres } from './postgres/start.ts';
export {
  findNatsServer,
  type NatsBinary,
  type NatsSearch,
  NatsServerMissing,
} from './nats/binary.ts';
export { natsConfig, type NatsSettings, type NatsUser } from './nats/config.ts';
export type { NatsServer } from './nats/server.ts';
export { type NatsOptions, startNats } from './nats/start.ts';
export { FolderInUse } from './process/claim.ts';
export { findFreePort, PortTaken } from './process/port.ts';
export { sweepThrowAways } from './process/throw-away.ts';
