import {
  type FieldMappingId,
  GetMapping,
  type MappingSource,
  type WorkspaceId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { ask } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Db } from '../store.ts';
import { prepareMapping, type ReadyMapping } from './rules.ts';
import { findMappingCopy, insertMappingCopy, setMappingVersion } from './store.ts';

/** A published mapping as field-mapping gives it away. */
export interface PublishedMapping {
  mappingId: FieldMappingId;
  version: number;
  hash: string;
  source: MappingSource;
}

/** Stores a version and moves the sources of the mapping to it. */
export async function keepMapping(
  tx: Db,
  workspaceId: WorkspaceId,
  { mapping, now }: { mapping: PublishedMapping; now: Date },
): Promise<void> {
  const { mappingId, version, hash, source } = mapping;
  await insertMappingCopy(tx, {
    workspace_id: workspaceId,
    mapping_id: mappingId,
    version,
    hash,
    source: JSON.stringify(source),
    fetched_at: now,
  });
  await setMappingVersion(tx, workspaceId, { mappingId, version, now });
}

/** Takes the newest version; while field-mapping is away or refuses, the copy at hand serves on. */
export async function refreshMapping(
  deps: { db: Db; nats: NatsConnection; now: () => Date },
  workspaceId: WorkspaceId,
  mappingId: FieldMappingId,
): Promise<void> {
  const question = { workspaceId, mappingId };
  const mapping = await ask(deps.nats, GetMapping, question, { timeoutMs: 2_000 }).catch(
    (error: unknown) => {
      if (error instanceof Refusal) return undefined;
      throw error;
    },
  );
  if (mapping === undefined) return;
  await withWorkspace(deps.db, workspaceId, (tx) =>
    keepMapping(tx, workspaceId, { mapping, now: deps.now() }),
  );
}

/** Compiled versions, kept because a version never changes. */
export interface Mappings {
  ready(
    tx: Db,
    workspaceId: WorkspaceId,
    pinned: { mappingId: FieldMappingId; version: number },
  ): Promise<ReadyMapping>;
}

const KEPT = 200;

export function createMappings(): Mappings {
  const kept = new Map<string, ReadyMapping>();
  return {
    ready: async (tx, workspaceId, pinned) => {
      const key = `${workspaceId}|${pinned.mappingId}|${pinned.version}`;
      const known = kept.get(key);
      if (known) return known;
      const copy = await findMappingCopy(tx, workspaceId, pinned);
      if (!copy) {
        throw new Refusal('precondition', `There is no copy of mapping ${pinned.mappingId}`, {
          reason: 'mapping_not_published',
          fix: 'Publish the mapping again.',
        });
      }
      const ready = prepareMapping(copy.version, copy.source);
      const [oldest] = kept.keys();
      if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest);
      kept.set(key, ready);
      return ready;
    },
  };
}
