import { z } from 'zod';
import { ApiKeyId, EventId, WorkspaceId } from './ids.ts';
import { eventEnum } from './open-enum.ts';
import type { PipedriveObject } from './pipedrive-records.ts';

/** `<owning service>.<noun>_<past participle>.v<version>`; the subject adds `.<workspaceId>`. */
type EventName = `${string}.${string}.v${number}`;

/** Who caused something: a person through the graph, a service on its own, or a change in Pipedrive. */
export const Actor = z.object({
  kind: z.enum(['user', 'service', 'pipedrive']),
  /** `us_…` for a user, the service's name, or Pipedrive's user id. */
  id: z.string().max(64),
  /** The key a user acted through; absent where none is known, as after the OAuth round trip. */
  apiKeyId: ApiKeyId.optional(),
});
export type Actor = z.infer<typeof Actor>;

/** The actor in an event, whose kind may be of a later release than its reader. */
export const EventActor = Actor.extend({ kind: eventEnum(Actor.shape.kind) });
export type EventActor = z.infer<typeof EventActor>;

/** What an event means to somebody who reads a log: which thing, how it ended, what it cost. */
export interface EventSummary {
  target: { type: string; id: string };
  /** `unknown`: told in words of a later release. */
  outcome: 'succeeded' | 'failed' | 'skipped' | 'parked' | 'unknown';
  reason?: string | undefined;
  /** Pipedrive API tokens spent. */
  costTokens?: number | undefined;
  /** The record in Pipedrive this is about. */
  record?: { connectionId: string; object: PipedriveObject; pipedriveId: string } | undefined;
}

/** The record of a summary; undefined where its object is of a later release. */
export const recordOf = (record: {
  connectionId: string;
  object: PipedriveObject | 'unknown';
  pipedriveId: string;
}): EventSummary['record'] =>
  record.object === 'unknown' ? undefined : { ...record, object: record.object };

const envelopeOf = <Name extends string, Payload extends z.ZodType>(name: Name, payload: Payload) =>
  z.object({
    id: EventId,
    name: z.literal(name),
    workspaceId: WorkspaceId,
    occurredAt: z.iso.datetime(),
    actor: EventActor,
    /** Shared by everything that follows from one request or one webhook. */
    correlationId: z.string().min(1).max(64),
    /** Id of the event this one follows from; absent at the start of a chain. */
    causationId: EventId.optional(),
    payload,
  });

/** Declares an event: its name, its payload, and how an audit log should read it. */
export function defineEvent<const Name extends EventName, Payload extends z.ZodType>(
  name: Name,
  payload: Payload,
  summarise: (payload: z.infer<Payload>) => EventSummary,
) {
  return {
    name,
    envelope: envelopeOf(name, payload),
    /** Parses an unknown envelope of this event and summarises it. */
    summarise: (body: unknown): EventSummary => summarise(payload.parse(body)),
  };
}

/** What every event definition offers, whatever its payload. */
export interface EventDefinition<Payload = unknown> {
  readonly name: string;
  readonly envelope: z.ZodType<EventEnvelope<Payload>>;
  readonly summarise: (body: unknown) => EventSummary;
}

export interface EventEnvelope<Payload = unknown> {
  id: EventId;
  name: string;
  workspaceId: WorkspaceId;
  occurredAt: string;
  actor: EventActor;
  correlationId: string;
  causationId?: EventId | undefined;
  payload: Payload;
}

/** First token of the name: the owner, and the stream. */
export const ownerOf = (eventName: string): string => eventName.slice(0, eventName.indexOf('.'));

/** The NATS subject of an event in one workspace. */
export const subjectOf = (eventName: string, workspaceId: WorkspaceId): string =>
  `${eventName}.${workspaceId}`;

/** The part of an envelope every event shares, for whoever has to route it before it is understood. */
export const EventEnvelopeHead = z.object({
  id: EventId,
  name: z.string().max(128),
  workspaceId: WorkspaceId,
  occurredAt: z.iso.datetime(),
  actor: EventActor,
  correlationId: z.string().min(1).max(64),
  causationId: EventId.optional(),
  payload: z.unknown(),
});
