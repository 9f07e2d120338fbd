import { Refusal } from '@manifold/errors';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Db } from '../store.ts';

export interface Deps {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}

export const absent = (id: string): Refusal =>
  new Refusal('not_found', `There is no field mapping ${id}`, {
    reason: 'record_not_found',
    field: 'input.id',
    fix: 'Choose one of the mappings the query fieldMappings lists.',
  });
