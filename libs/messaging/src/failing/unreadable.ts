import { EventId, EventEnvelopeHead, idFromUuid, WorkspaceId } from '@manifold/contracts';
import type { JsMsg } from '@nats-io/jetstream';
import { createHash } from 'node:crypto';
import type { Received } from '../consuming/handle.ts';

const MAX_TEXT = 100_000;

/** What a message that nothing reads is parked for. */
export const unreadable = Object.assign(new Error('unreadable'), { name: 'ZodError' });

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

/** An event that waits, as it was received; one that this release cannot read, by what its row says of it. */
export function asWaiting(row: {
  event_id: string;
  workspace_id: string;
  key: string;
  name: string;
  body: unknown;
}): { received: Received; isReadable: boolean } {
  const { key, body } = row;
  const read = EventEnvelopeHead.safeParse(body);
  const event = read.success
    ? read.data
    : EventEnvelopeHead.parse({
        ...{ id: row.event_id, workspaceId: row.workspace_id, name: row.name },
        ...{ correlationId: row.event_id, occurredAt: new Date().toISOString() },
        actor: { kind: 'service', id: row.name.split('.', 1)[0]?.slice(0, 64) },
        payload: {},
      });
  return { received: { event, key, body: JSON.stringify(body) }, isReadable: read.success };
}
