import {
  type ConnectionId,
  DescribeConnection,
  type FieldMappingId,
  GetMapping,
  type WorkspaceId,
} from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { ask } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';

export interface Choice {
  connectionId?: ConnectionId | undefined;
  mappingId?: FieldMappingId | undefined;
}

/** What the other services say of a chosen connection and mapping; a part not chosen is undefined. */
export async function findParts(nats: NatsConnection, workspaceId: WorkspaceId, choice: Choice) {
  const { connectionId, mappingId } = choice;
  const [connection, mapping] = await Promise.all([
    connectionId === undefined
      ? undefined
      : ask(nats, DescribeConnection, { workspaceId, connectionId }).catch(
          pointingAt(
            'input.connectionId',
            'Use an id from the list connections of this workspace.',
          ),
        ),
    mappingId === undefined
      ? undefined
      : ask(nats, GetMapping, { workspaceId, mappingId }).catch(
          pointingAt('input.mappingId', 'Use an id from the list fieldMappings of this workspace.'),
        ),
  ]);
  if (mapping !== undefined && mapping.purpose !== 'CONTACTS_FROM_PIPEDRIVE') {
    throw badMapping('The mapping does not lead from Pipedrive to contacts');
  }
  return { connection, mapping };
}

export type Parts = Awaited<ReturnType<typeof findParts>>;

/** A mapping is made for the fields of one connection. */
export function checkFit({ mapping }: Parts, connectionId: ConnectionId | null): void {
  if (mapping === undefined) return;
  if (connectionId === null) throw badMapping('A mapping is chosen after its connection');
  if (mapping.connectionId !== connectionId)
    throw badMapping('The mapping belongs to another connection');
}

/** What another service does not know becomes a matter of our own input. */
const pointingAt =
  (field: string, fix: string) =>
  (error: unknown): never => {
    if (!(error instanceof Refusal) || error.kind !== 'not_found') throw error;
    throw new Refusal('not_found', error.message, { ...error.detail, field, fix });
  };

const badMapping = (message: string): Refusal =>
  new Refusal('invalid', message, {
    reason: 'invalid_input',
    field: 'input.mappingId',
    fix: 'Choose a published mapping of this connection with the purpose CONTACTS_FROM_PIPEDRIVE.',
  });
