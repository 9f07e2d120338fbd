import type { ConnectionId, WorkspaceId } from '@manifold/contracts';

/** Who waits for the answer: somebody at a screen, an event, or a job over many records. */
export type Lane = 'interactive' | 'event' | 'bulk';

export interface BudgetTables {
  /** One row per finished call, kept 30 days. */
  api_call: {
    workspace_id: WorkspaceId;
    id: string;
    company_id: string;
    connection_id: ConnectionId;
    operation: string;
    /** What Pipedrive charged: nothing for a call it turned away. */
    tokens: number;
    status: number | null;
    outcome: string;
    lane: Lane;
    feature: string;
    at: Date;
  };
  /** Totals of a UTC day. */
  api_usage: {
    workspace_id: WorkspaceId;
    connection_id: ConnectionId;
    /** `YYYY-MM-DD`. */
    day: string;
    operation: string;
    feature: string;
    company_id: string;
    calls: number;
    tokens: number;
  };
  /** What is known of a company's day, as seen by one workspace. */
  api_day: {
    workspace_id: WorkspaceId;
    company_id: string;
    day: string;
    spent_tokens: number;
    /** Of calls that were admitted and have not ended. */
    reserved_tokens: number;
    learned_limit: number | null;
    learned_remaining: number | null;
    paused_until: Date | null;
  };
  /** Rolling windows of one credential. Slots are 100 ms wide, numbered from 1970. */
  api_window: {
    workspace_id: WorkspaceId;
    connection_id: ConnectionId;
    company_id: string;
    burst_limit: number | null;
    burst_slots: string;
    search_slots: string;
    paused_until: Date | null;
    pause_reason: 'burst_limited' | 'pipedrive_blocked' | null;
  };
}
