import type { Actor, WorkspaceId } from '@manifold/contracts';

/** Who asks, and the thread of events it belongs to. */
export interface Caller {
  workspaceId: WorkspaceId;
  actor: Actor;
  correlationId: string;
}
