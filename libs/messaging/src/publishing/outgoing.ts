import { ownerOf, subjectOf, WorkspaceId } from '@manifold/contracts';
import { jetstream, JetStreamApiError } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { sessionOf } from '../connect.ts';
import type { Known } from '../streams/stream-state.ts';

const TIMEOUT_MS = 5_000;

/** An event of the outbox, as it is sent. */
export interface OutboxRow {
  id: string;
  workspace_id: string;
  event_id: string;
  name: string;
  key: string;
  body: unknown;
}

export interface Sent {
  /** Ids of the rows the broker has taken. */
  ids: string[];
  /** The highest place they took in each stream. */
  taken: Map<string, number>;
  /** The first row of each key that the broker refused. */
  refused: OutboxRow[];
  /** The connection or a stream is not what it was, so nothing more was sent. */
  changed: boolean;
}

/**
 * Sends rows: keys side by side, events of one key one after the other; a refusal holds only its own
 * key. Everything stops when the connection or the stream is no longer the one that was checked,
 * because a later event in a new stream would overtake those that were lost with the old one.
 */
export async function sendByKey(
  rows: readonly OutboxRow[],
  to: {
    nats: NatsConnection;
    session: string;
    streams: ReadonlyMap<string, Known>;
    messageIdOf: (row: OutboxRow) => string;
  },
): Promise<Sent> {
  const { nats, session, streams, messageIdOf } = to;
  const js = jetstream(nats);
  const sent: Sent = { ids: [], taken: new Map(), refused: [], changed: false };
  const sendOne = async (row: OutboxRow): Promise<boolean> => {
    sent.changed ||= sessionOf(nats) !== session;
    if (sent.changed) return false;
    const stream = ownerOf(row.name);
    const subject = subjectOf(row.name, WorkspaceId.parse(row.workspace_id));
    try {
      const msgID = messageIdOf(row);
      const { seq, duplicate } = await js.publish(subject, JSON.stringify(row.body), {
        msgID,
        timeout: TIMEOUT_MS,
      });
      sent.changed ||= !duplicate && seq <= (streams.get(stream)?.lastSeq ?? 0);
      if (sent.changed) return false;
      sent.taken.set(stream, Math.max(seq, sent.taken.get(stream) ?? 0));
    } catch (error) {
      // the broker refused this one; anything else is about the connection or the stream
      if (error instanceof JetStreamApiError) sent.refused.push(row);
      else sent.changed = true;
      return false;
    }
    sent.ids.push(row.id);
    return true;
  };
  const byKey = Map.groupBy(rows, (row) => `${row.workspace_id}|${row.key}`);
  await Promise.all(
    [...byKey.values()].map(async (sameKey) => {
      for (const row of sameKey) if (!(await sendOne(row))) return;
    }),
  );
  return sent;
}
