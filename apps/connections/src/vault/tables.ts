/** A key that seals what is stored, itself encrypted by a master key. */
export interface DataKeyTable {
  /** `installation` for the root key, which belongs to no workspace. */
  workspace_id: string;
  /** Stands in the texts it sealed. */
  id: string;
  /** From the root key come the hash keys and every workspace's first data key. */
  purpose: 'ROOT' | 'DATA';
  wrapped: string;
  master_key_id: string;
  /** From then on it seals; by then every replica knows it. */
  active_at: Date;
  /** When everything of the workspace was found sealed with it; null before. */
  swept_at: Date | null;
  /** When texts that do not open last kept it from being so; null before. */
  tried_at: Date | null;
  created_at: Date;
}

export interface VaultTables {
  data_key: DataKeyTable;
}

export type DataKeyRow = DataKeyTable;
