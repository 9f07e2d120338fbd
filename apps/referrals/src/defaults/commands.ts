import { ListFields, type WorkspaceId } from '@manifold/contracts';
import { ask } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { SaveInput } from '../campaigns/input.ts';
import type { Campaign, Defaults } from '../store.ts';
import { readDefaults } from './rules.ts';

/** Defaults are checked against the fields as they are now; those kept need not be again. */
export async function checkDefaults(
  { nats }: { nats: NatsConnection },
  workspaceId: WorkspaceId,
  { input, before }: { input: SaveInput; before: Campaign | undefined },
): Promise<Defaults> {
  const isMoved = before !== undefined && before.connection_id !== input.connectionId;
  if (!input.defaults && !isMoved) return before?.defaults ?? { rows: [], catalogue: [] };
  const given = (input.defaults ?? []).map(({ object, field, value }) => ({
    object: object === 'PERSON' ? ('person' as const) : ('lead' as const),
    field,
    value,
  }));
  if (given.length === 0) return { rows: [], catalogue: [] };
  const { connectionId } = input;
  const answers = await Promise.all(
    (['person', 'lead'] as const).map((object) =>
      ask(nats, ListFields, { workspaceId, connectionId, object }),
    ),
  );
  const { defaults, refusal } = readDefaults(
    given,
    answers.flatMap(({ fields }) => fields),
  );
  if (refusal) throw refusal;
  return defaults;
}
