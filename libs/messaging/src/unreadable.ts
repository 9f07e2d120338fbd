import { EventId, EventEnvelopeHead, idFromUuid, WorkspaceId } from '@manifold/contracts';
import type { JsMsg } from '@nats-io/jetstream';
import { createHash } from 'node:crypto';
import type { Received } from './handle.ts';

const MAX_TEXT = 100_000;

/**
 * A message nothing reads, as an event that can be kept for a person: its workspace stands in its
 * subject, its id follows from its place in the stream. `undefined`: it is of no workspace.
 */
export function asReceived(message: JsMsg): Received | undefined {
  const { subject } = message;
  const end = subject.lastIndexOf('.');
  const workspaceId = WorkspaceId.safeParse(subject.slice(end + 1)).data;
  if (workspaceId === undefined) return undefined;
  const { stream, streamSequence, timestampNanos } = message.info;
  const place = `${stream}|${streamSequence}|${timestampNanos}`;
  const id = EventId.parse(
    idFromUuid('ev', createHash('sha256').update(place).digest('hex').slice(0, 32)),
  );
  const event = EventEnvelopeHead.parse({
    ...{ id, workspaceId, correlationId: id, name: subject.slice(0, end).slice(0, 128) },
    occurredAt: new Date(timestampNanos / 1_000_000).toISOString(),
    actor: { kind: 'service', id: stream.slice(0, 64) },
    // the database takes no zero characters
    payload: { unreadable: message.string().slice(0, MAX_TEXT).replaceAll('\u0000', '') },
  });
  return { event, key: `${workspaceId}|${id}`, body: JSON.stringify(event) };
}
