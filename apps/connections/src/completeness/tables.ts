import type {
  CompletenessCertificateId,
  ConnectionId,
  PipedriveObject,
  ReasonCode,
  WorkspaceId,
} from '@manifold/contracts';

export type CertificateState =
  | 'WAITING'
  | 'CHECKING'
  | 'BASELINE'
  | 'CLEAN'
  | 'GAPS'
  | 'REPAIRING'
  | 'REPAIRED'
  | 'CANCELLED'
  | 'FAILED';

/** What a full comparison of one object with Pipedrive found. Holds ids, counts and times only. */
export interface CertificateTable {
  workspace_id: WorkspaceId;
  id: CompletenessCertificateId;
  connection_id: ConnectionId;
  company_id: string;
  object: PipedriveObject;
  state: CertificateState;
  /** The first one: nothing was known before, so nothing is told. */
  is_baseline: boolean;
  /** Consumers are told of what they missed. */
  repairs: boolean;
  /** Names of the keys that are entered on the way. */
  keys: string[];
  /** Where the next page begins, and the last id of the page before. */
  cursor: string | null;
  last_id: string;
  /** All pages are read; what differs is judged at `judge_at`. */
  is_read: boolean;
  judge_at: Date | null;
  pipedrive_count: number;
  /** Sum of the records' hashes, in hex. */
  pipedrive_hash: string;
  known_count: number | null;
  known_hash: string | null;
  missing: number;
  stale: number;
  extra: number;
  /** Records that left the sight of the connection's user without being deleted. */
  hidden: number;
  repaired: number;
  first_missing_id: string | null;
  first_stale_id: string | null;
  first_extra_id: string | null;
  cost_tokens: number;
  actor_kind: 'user' | 'service';
  actor_id: string;
  correlation_id: string;
  started_at: Date;
  /** Right before the first page was asked for; null before that. What was there then is compared. */
  as_of: Date | null;
  /** When everything was read and judged. */
  taken_at: Date | null;
  finished_at: Date | null;
  /** What it was read with, as `sight` of a registry; null before the first page. */
  sight: string | null;
  /** How often it had to begin anew. */
  restarts: number;
  /** Extra records up to here were asked for by their ids. */
  judged_id: string;
  /** More differs than one certificate follows up. */
  has_more: boolean;
  /** Why it was given up or does not go on, with what Pipedrive said of it; null while it does. */
  reason: ReasonCode | null;
  cause: string | null;
}

export interface CompletenessTables {
  completeness_certificate: CertificateTable;
  /** A record that differs; gone when it is judged or repaired. */
  completeness_gap: {
    workspace_id: WorkspaceId;
    certificate_id: CompletenessCertificateId;
    pipedrive_id: string;
    kind: 'missing' | 'stale' | 'extra';
    pipedrive_time: Date | null;
    known_time: Date | null;
  };
}

export type Certificate = CertificateTable;
export type Gap = CompletenessTables['completeness_gap'];
