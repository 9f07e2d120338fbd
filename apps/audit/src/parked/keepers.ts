import {
  type DeadLetter,
  type DeadLetterFilter,
  discardDeadLettersOf,
  type EventId,
  findDeadLettersOf,
  MAX_DEAD_LETTERS,
  replayDeadLettersOf,
  type ServiceName,
  type WorkspaceId,
} from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { ask, keepersOfDeadLetters, type Origin } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';

const PATIENCE_MS = 2_000;

/** Which messages are meant; without a service those of all. */
export interface Wanted {
  service?: ServiceName | undefined;
  filter: DeadLetterFilter;
}

/** What the services that answered said, and which did not. */
interface Told<Answer> {
  answers: { service: ServiceName; answer: Answer }[];
  unanswered: ServiceName[];
}

async function askEach<Answer>(
  service: ServiceName | undefined,
  askOne: (service: ServiceName) => Promise<Answer>,
): Promise<Told<Answer>> {
  const told: Told<Answer> = { answers: [], unanswered: [] };
  const asked = service === undefined ? keepersOfDeadLetters : [service];
  await Promise.all(
    asked.map(async (one) => {
      try {
        told.answers.push({ service: one, answer: await askOne(one) });
      } catch (error) {
        if (!(error instanceof Refusal && error.kind === 'unavailable')) throw error;
        told.unanswered.push(one);
      }
    }),
  );
  return { ...told, unanswered: told.unanswered.toSorted() };
}

/** The oldest parked messages of all services, and how many there are. */
export async function listParked(
  nats: NatsConnection,
  workspaceId: WorkspaceId,
  { service, filter, first }: Wanted & { first: number },
): Promise<{
  messages: (DeadLetter & { service: ServiceName })[];
  total: number;
  unanswered: ServiceName[];
}> {
  const { answers, unanswered } = await askEach(service, (one) => {
    const question = { workspaceId, filter, limit: first };
    return ask(nats, findDeadLettersOf(one), question, { timeoutMs: PATIENCE_MS });
  });
  const messages = answers
    .flatMap(({ service: keeper, answer }) =>
      answer.letters.map((letter) => ({ ...letter, service: keeper })),
    )
    .toSorted((a, b) => Date.parse(a.parkedAt) - Date.parse(b.parkedAt))
    .slice(0, first);
  const total = answers.reduce((sum, { answer }) => sum + answer.total, 0);
  return { messages, total, unanswered };
}

/** Has at most `first` messages processed again: each service's oldest, in portions. */
export async function replayParked(
  nats: NatsConnection,
  { workspaceId, actor, correlationId }: Origin,
  { service, filter, first }: Wanted & { first: number },
): Promise<{ messageIds: EventId[]; unanswered: ServiceName[] }> {
  const messageIds: EventId[] = [];
  const unanswered: ServiceName[] = [];
  for (const one of service === undefined ? keepersOfDeadLetters : [service]) {
    // what fails again at once would otherwise be taken a second time
    const parkedBefore = filter.parkedBefore ?? new Date().toISOString();
    let more = true;
    while (more && messageIds.length < first) {
      const limit = Math.min(first - messageIds.length, MAX_DEAD_LETTERS);
      const question = { workspaceId, actor, correlationId, limit };
      const told = await askEach(one, (keeper) =>
        ask(nats, replayDeadLettersOf(keeper), {
          ...question,
          filter: { ...filter, parkedBefore },
        }),
      );
      const answer = told.answers[0]?.answer;
      messageIds.push(...(answer?.messageIds ?? []));
      unanswered.push(...told.unanswered);
      more = answer?.more ?? false;
    }
  }
  return { messageIds, unanswered };
}

/** Has messages thrown away, wherever they are kept. */
export async function discardParked(
  nats: NatsConnection,
  { workspaceId, actor, correlationId }: Origin,
  messageIds: readonly EventId[],
): Promise<{ messageIds: EventId[]; unanswered: ServiceName[] }> {
  const { answers, unanswered } = await askEach(undefined, (one) =>
    ask(nats, discardDeadLettersOf(one), {
      ...{ workspaceId, actor, correlationId },
      messageIds: [...messageIds],
    }),
  );
  return { messageIds: answers.flatMap(({ answer }) => answer.messageIds), unanswered };
}
