import {
  type EventId,
  listDeadLettersOf,
  replayDeadLettersOf,
  type ServiceName,
  type WorkspaceId,
} from '@manifold/contracts';
import { ask, type Origin } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { ParkedMessage } from './rules.ts';

const MOST_ASKED = 100;
const PATIENCE_MS = 2_000;

/** True when the service took the message out of its dead letters to process it again. */
export async function replayMessage(
  nats: NatsConnection,
  { service, messageId }: ParkedMessage,
  { workspaceId, actor, correlationId }: Origin,
): Promise<boolean> {
  const question = { workspaceId, messageId, actor, correlationId };
  const { messageIds } = await ask(nats, replayDeadLettersOf(service), question);
  return messageIds.length > 0;
}

/** Which of some messages are parked still; those whose service does not answer are left out. */
export async function findParked(
  nats: NatsConnection,
  workspaceId: WorkspaceId,
  messages: readonly ParkedMessage[],
): Promise<(ParkedMessage & { parked: boolean })[]> {
  const byService = Map.groupBy(messages, ({ service }) => service);
  const asked = [...byService].flatMap(([service, its]) =>
    chunksOf(its.map(({ messageId }) => messageId)).map((ids) => ({ service, ids })),
  );
  const answers = await Promise.all(
    asked.map(async ({ service, ids }) => {
      const parked = await listParked(nats, service, { workspaceId, messageIds: ids });
      return ids.flatMap((messageId) =>
        parked === undefined ? [] : [{ service, messageId, parked: parked.has(messageId) }],
      );
    }),
  );
  return answers.flat();
}

const listParked = (
  nats: NatsConnection,
  service: ServiceName,
  question: { workspaceId: WorkspaceId; messageIds: EventId[] },
): Promise<Set<EventId> | undefined> =>
  ask(nats, listDeadLettersOf(service), question, { timeoutMs: PATIENCE_MS }).then(
    ({ messageIds }) => new Set(messageIds),
    () => undefined,
  );

function chunksOf(ids: EventId[]): EventId[][] {
  const chunks = Math.ceil(ids.length / MOST_ASKED);
  return Array.from({ length: chunks }, (_, n) => ids.slice(n * MOST_ASKED, (n + 1) * MOST_ASKED));
}
