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
