import type { Origin } from '@manifold/messaging';
import type { RequestContext } from '@manifold/subgraph';

/** The caller of a request as the cause of events. */
export const originOf = ({ workspaceId, actor, correlationId }: RequestContext): Origin => ({
  workspaceId,
  actor,
  correlationId,
});
