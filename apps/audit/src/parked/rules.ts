import { EventId, type ServiceName, services } from '@manifold/contracts';
import type { AuditEntry } from '../store.ts';

/** A message kept by the service that could not process it. */
export interface ParkedMessage {
  service: ServiceName;
  messageId: EventId;
}

/** The message an entry says was parked; undefined when it says something else, or none was kept. */
export function parkedMessageOf(
  entry: Pick<AuditEntry, 'action' | 'target_id'>,
): ParkedMessage | undefined {
  const service = services.find((name) => entry.action === `${name}.message_parked`);
  const messageId = EventId.safeParse(entry.target_id);
  return service && messageId.success ? { service, messageId: messageId.data } : undefined;
}
