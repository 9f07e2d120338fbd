import type { ConnectionId, PipedriveObject, ReasonCode, WorkspaceId } from '@manifold/contracts';

/** Where a registry belongs: one for an object of a company, whatever connections lead there. */
export interface RegistryPlace {
  workspace_id: WorkspaceId;
  company_id: string;
  object: PipedriveObject;
}

/** What is kept of the records of one object. It exists while something needs it. */
export interface RecordRegistryTable extends RegistryPlace {
  /** Whose credential reads. */
  connection_id: ConnectionId;
  /** Names of keys that are entered for every record read. */
  wanted_keys: string[];
  /** Names of keys that every record has been searched for. */
  keys: string[];
  /** Everything that changed in Pipedrive up to here is in the index; null before the first scan ends. */
  certified_until: Date | null;
  /** When the newest complete read of changes began. */
  read_began_at: Date | null;
  /** Where a read of changes that was too long for one go continues, and when it began. */
  read_cursor: string | null;
  partial_began_at: Date | null;
  /** Who reads changes now, by the database's clock. */
  reader: string | null;
  reading_until: Date | null;
  /** Consumers were told of everything that changed up to here. */
  swept_until: Date | null;
  sweep_cursor: string | null;
  sweep_began_at: Date | null;
  sweep_at: Date;
  verify_at: Date;
  /** When there is something to do next; a lease while it is done. */
  due_at: Date;
  /** Tries in a row that failed. */
  failures: number;
  /** Why it is not kept current, with what Pipedrive said of it; null while it is. */
  reason: ReasonCode | null;
  cause: string | null;
  /** What it was built with: `all`, or the connection whose user sees a part. Null before the first scan. */
  sight: string | null;
  /** Everything kept goes; it covers nothing any more. */
  releasing: boolean;
  created_at: Date;
}

export interface RegistryTables {
  record_registry: RecordRegistryTable;
  /** Who needs a registry, and for which keys. */
  registry_need: RegistryPlace & {
    connection_id: ConnectionId;
    feature: string;
    keys: string[];
    created_at: Date;
  };
  /** That a record exists, and how new the state is that consumers were told of. No value is kept. */
  known_record: RegistryPlace & {
    pipedrive_id: string;
    /** Null: nobody was told yet. */
    update_time: Date | null;
    /** Of the event that told of it, in milliseconds. */
    revision: string | null;
    deleted: boolean;
    /** Out of the reader's sight, but not deleted: its keys stay. */
    hidden: boolean;
    /** `update_time` of the state its keys were taken from. */
    indexed_time: Date | null;
  };
  /** Which records have a key. Keys are keyed hashes, never values. */
  indexed_key: RegistryPlace & { key_hash: string; pipedrive_id: string };
}

export type RecordRegistry = RecordRegistryTable;
