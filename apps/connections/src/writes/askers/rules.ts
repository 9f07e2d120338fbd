import type { Actor, WorkspaceId } from '@manifold/contracts';
import type { Origin } from '@manifold/messaging';
import type { WriteTables } from '../tables.ts';

/** Who asked for something, as it is stored. */
export type AskedBy = Pick<
  WriteTables['write_request'],
  'actor_kind' | 'actor_id' | 'actor_api_key_id'
>;

export const columnsOfActor = ({ kind, id, apiKeyId }: Actor): AskedBy => ({
  actor_kind: kind,
  actor_id: id,
  actor_api_key_id: apiKeyId ?? null,
});

export const actorOf = ({
  actor_kind: kind,
  actor_id: id,
  actor_api_key_id: key,
}: AskedBy): Actor => ({
  kind,
  id,
  ...(key === null ? {} : { apiKeyId: key }),
});

/** Whoever asked stands behind what happens to it later, with the key they asked through. */
export const originOf = (
  asked: AskedBy & { workspace_id: WorkspaceId; correlation_id: string },
): Origin => ({
  workspaceId: asked.workspace_id,
  actor: actorOf(asked),
  correlationId: asked.correlation_id,
});

/** The same with somebody else behind what happens to it now. */
export const askedBy = <Row extends AskedBy & { correlation_id: string }>(
  row: Row,
  { actor, correlationId }: Origin,
): Row => ({ ...row, ...columnsOfActor(actor), correlation_id: correlationId });
