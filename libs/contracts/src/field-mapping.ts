import { z } from 'zod';
import { defineEvent } from './event.ts';
import { ConnectionId, FieldMappingId, WorkspaceId } from './ids.ts';
import { MappingSource } from './mappings.ts';
import { eventEnum } from './open-enum.ts';
import { defineRequest } from './request.ts';

export const MappingPurpose = z.enum(['CONTACTS_FROM_PIPEDRIVE', 'REFERRALS_TO_PIPEDRIVE']);
export type MappingPurpose = z.infer<typeof MappingPurpose>;

/** A version of a mapping may now be used. The rows are fetched with `GetMapping`. */
export const MappingPublished = defineEvent(
  'field-mapping.mapping_published.v1',
  z.object({
    mappingId: FieldMappingId,
    version: z.int().positive(),
    connectionId: ConnectionId,
    purpose: eventEnum(MappingPurpose),
    /** SHA-256 of the published source, hex. */
    hash: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  ({ mappingId }) => ({ target: { type: 'FieldMapping', id: mappingId }, outcome: 'succeeded' }),
);

const DriftChange = z.enum(['RENAMED', 'RETYPED', 'OPTIONS_LOST', 'REMOVED']);

const reasonOf = {
  RENAMED: undefined,
  RETYPED: 'field_type_mismatch',
  OPTIONS_LOST: 'unknown_option',
  REMOVED: 'unknown_field',
  unknown: undefined,
} as const;

/**
 * What has become of the fields under a mapping is not what it was before; empty when all is well
 * again. Quarantined rows of the published version are left out: fetch it anew with `GetMapping`.
 */
export const MappingDrifted = defineEvent(
  'field-mapping.mapping_drifted.v1',
  z.object({
    mappingId: FieldMappingId,
    connectionId: ConnectionId,
    purpose: eventEnum(MappingPurpose),
    /** The newest published version; null before the first. */
    version: z.int().positive().nullable(),
    /** All that has drifted, the first 500. */
    drift: z
      .array(
        z.object({
          rowId: z.string().max(100),
          change: eventEnum(DriftChange),
          /** The row cannot be used as it is. */
          quarantined: z.boolean(),
          /** The published version is affected. */
          published: z.boolean(),
        }),
      )
      .max(500),
  }),
  ({ mappingId, drift }) => {
    const worst = drift.find(({ quarantined }) => quarantined);
    return {
      target: { type: 'FieldMapping', id: mappingId },
      outcome: worst === undefined ? 'succeeded' : 'failed',
      reason: worst && reasonOf[worst.change],
    };
  },
);

/** The source of a published version: rows, policy and the part of the catalogue they rest on. */
export const GetMapping = defineRequest(
  'request.field-mapping.get_mapping.v1',
  z.object({
    workspaceId: WorkspaceId,
    mappingId: FieldMappingId,
    /** Absent: the newest published one. */
    version: z.int().positive().optional(),
  }),
  z.object({
    mappingId: FieldMappingId,
    version: z.int().positive(),
    connectionId: ConnectionId,
    purpose: MappingPurpose,
    hash: z.string(),
    source: MappingSource,
  }),
);
