import type { ChangeSetId, ConnectionId, UserId, WorkspaceId } from '@manifold/contracts';

/** Who waits for the answer: somebody at a screen, an event, or a job over many records. */
export type Lane = 'interactive' | 'event' | 'bulk';

export type PlanName = 'lite' | 'growth' | 'premium' | 'ultimate';

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
    change_set_id: ChangeSetId | null;
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
    /** Empty for calls that were for no change set. */
    change_set_id: string;
    company_id: string;
    calls: number;
    tokens: number;
  };
  /**
   * A company's day, once per workspace that uses it: what that one spent, has under way and was told.
   * The other columns are about the company and the same in all of them.
   */
  api_day: {
    workspace_id: WorkspaceId;
    company_id: string;
    day: string;
    spent_tokens: number;
    /** Tokens of calls that were admitted and have not ended, by when; JSON. */
    reservations: string;
    company_spent_tokens: number;
    learned_limit: number | null;
    learned_remaining: number | null;
    paused_until: Date | null;
    /** When one call may look whether tokens were added to a day that is spent. */
    probe_at: Date | null;
    /** Lanes that wait for another day's tokens, as far as an event has told of it. */
    stopped_lanes: Lane[];
    /** The highest threshold of the day that an event has told of. */
    told_percent: number;
  };
  /** Rolling windows of one credential. Slots are 20 ms wide, numbered from 1970. */
  api_window: {
    credential: string;
    company_id: string;
    burst_limit: number | null;
    burst_slots: string;
    search_slots: string;
    paused_until: Date | null;
    pause_reason: 'burst_limited' | 'pipedrive_blocked' | null;
    /** How often in a row the edge has turned it away. */
    blocks: number;
    /** A call is out to see whether the edge lets it through again. */
    probe_until: Date | null;
  };
  /** What a workspace says about a company's subscription at Pipedrive. */
  api_plan: {
    workspace_id: WorkspaceId;
    company_id: string;
    plan: PlanName;
    seats: number;
    top_up_tokens: number;
    user_id: UserId;
    updated_at: Date;
  };
}
