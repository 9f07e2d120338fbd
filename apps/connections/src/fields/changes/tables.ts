import type { ConnectionId, PipedriveObject, WorkspaceId } from '@manifold/contracts';
import type { DifferenceKind } from '../rules.ts';

/** One difference a reading of a catalogue found. Names, labels and types, never values. */
export interface FieldChangeTable {
  workspace_id: WorkspaceId;
  connection_id: ConnectionId;
  /** In the order they were found; text, because it is a bigint. */
  number: string;
  object: PipedriveObject;
  /** Of the catalogue that had it first. */
  revision: number;
  kind: DifferenceKind;
  field_code: string;
  /** As it is now; as it was, when the field is gone. */
  field_name: string;
  option_id: string | null;
  before: string | null;
  after: string | null;
  found_at: Date;
}

export interface FieldChangeTables {
  field_change: FieldChangeTable;
}

export type FieldChange = FieldChangeTable;
