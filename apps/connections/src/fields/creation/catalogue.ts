import type { FieldDefinition } from '@manifold/contracts';
import type { Origin } from '@manifold/messaging';
import type { Outcome, PipedriveClient } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { Connection } from '../../accounts/tables.ts';
import type { Db } from '../../store.ts';
import { keepCatalogue, keepMadeField } from '../keeping.ts';
import type { FieldOwnerObject } from './rules.ts';

export interface FieldCreationDeps {
  db: Db;
  now: () => Date;
  log: Logger;
  /** Custom fields the assumed plan allows a company. */
  customFieldCap: number;
}

/** A field of a company, wanted by somebody. */
export interface WantedField {
  connection: Connection;
  object: FieldOwnerObject;
  asker: Origin;
}

/** The fields of an object as Pipedrive has them now, kept as read. */
export async function readFields(
  deps: FieldCreationDeps,
  client: PipedriveClient,
  { connection, object, asker }: WantedField,
): Promise<Outcome<FieldDefinition[]>> {
  const askedAt = deps.now();
  const listed = await client.listFields(object);
  if (listed.outcome === 'ok') {
    await keepCatalogue(deps, connection, { object, fields: listed.data, askedAt, asker });
  }
  return listed;
}

/** Keeps a field that was made or grew; leads show the fields of deals. */
export async function keepMade(
  deps: FieldCreationDeps,
  { connection, object, asker }: WantedField,
  field: FieldDefinition,
): Promise<void> {
  await keepMadeField(deps, connection, { object, field, asker });
  if (object !== 'deal') return;
  const shown = { ...field, object: 'lead' } as const;
  await keepMadeField(deps, connection, { object: 'lead', field: shown, asker });
}
