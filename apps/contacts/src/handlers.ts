import type { Handler } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { createMappingConsumers } from './mappings/consumers.ts';
import type { Mappings } from './mappings/commands.ts';
import { createRecordConsumers } from './records/consumers.ts';
import { createRunConsumers } from './runs/consumers.ts';
import type { Db, Tables } from './store.ts';

/** Everything that happens elsewhere and matters here. */
export const createHandlers = (deps: {
  db: Db;
  nats: NatsConnection;
  mappings: Mappings;
  now: () => Date;
}): Handler<Tables>[] => [
  ...createRecordConsumers(deps),
  ...createMappingConsumers(deps),
  ...createRunConsumers(deps),
];
