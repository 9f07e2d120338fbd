import { z } from 'zod';
import { defineEvent } from './event.ts';
import { CompletenessCertificateId, ConnectionId, WorkspaceId } from './ids.ts';
import { eventEnum } from './open-enum.ts';
import { FieldCode, PipedriveObject } from './pipedrive-records.ts';
import { EventReason } from './reasons.ts';
import { defineRequest } from './request.ts';

/** A kind of key records can be found by without a search. */
export const RecordKey = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('email') }),
  z.object({ kind: z.literal('phone') }),
  z.object({ kind: z.literal('name') }),
  z.object({ kind: z.literal('domain'), field: FieldCode.default('website') }),
  z.object({ kind: z.literal('field'), field: FieldCode }),
]);
export type RecordKey = z.infer<typeof RecordKey>;

const Feature = z.string().regex(/^[a-z][a-z0-9_.:-]{0,63}$/);

/**
 * Has the records of an object tracked: changes no webhook told of are found and told, deletes too.
 * With keys, writes find records by them without a search. Kept until the feature releases it.
 */
export const RequireRegistry = defineRequest(
  'request.connections.require_registry.v1',
  z.object({
    workspaceId: WorkspaceId,
    connectionId: ConnectionId,
    object: PipedriveObject,
    /** Empty: tracked only. A repeat replaces the keys the feature named before. */
    keys: z.array(RecordKey).max(10),
    /** Who needs it, for example `contacts:ds_0198c2…`. */
    feature: Feature,
  }),
  /** `building`: the first reading is under way. */
  z.object({ state: z.enum(['building', 'ready']) }),
);

/** The feature needs it no longer; with the last one everything kept of the object goes. */
export const ReleaseRegistry = defineRequest(
  'request.connections.release_registry.v1',
  z.object({
    workspaceId: WorkspaceId,
    connectionId: ConnectionId,
    object: PipedriveObject,
    feature: Feature,
  }),
  z.object({ released: z.boolean() }),
);

/** All records of an object were compared with Pipedrive, or what that found has been told. */
export const CompletenessVerified = defineEvent(
  'connections.completeness_verified.v1',
  z.object({
    connectionId: ConnectionId,
    certificateId: CompletenessCertificateId,
    object: eventEnum(PipedriveObject),
    /** `BASELINE`: the first reading, before which nothing was known. */
    outcome: eventEnum(z.enum(['BASELINE', 'CLEAN', 'GAPS', 'REPAIRING', 'REPAIRED'])),
    pipedriveCount: z.int(),
    knownCount: z.int(),
    missing: z.int(),
    stale: z.int(),
    extra: z.int(),
    costTokens: z.int(),
    /** What was in Pipedrive at this time is in it. */
    asOf: z.iso.datetime().optional(),
  }),
  ({ certificateId, outcome, costTokens }) => ({
    target: { type: 'CompletenessCertificate', id: certificateId },
    outcome: checkOutcomes[outcome],
    costTokens,
  }),
);

const checkOutcomes = {
  BASELINE: 'succeeded',
  CLEAN: 'succeeded',
  GAPS: 'failed',
  REPAIRING: 'failed',
  REPAIRED: 'succeeded',
  unknown: 'unknown',
} as const;

/** A comparison of all records of an object with Pipedrive was given up: nothing is known by it. */
export const CompletenessFailed = defineEvent(
  'connections.completeness_failed.v1',
  z.object({
    connectionId: ConnectionId,
    certificateId: CompletenessCertificateId,
    object: eventEnum(PipedriveObject),
    reason: EventReason,
    costTokens: z.int(),
  }),
  ({ certificateId, reason, costTokens }) => ({
    target: { type: 'CompletenessCertificate', id: certificateId },
    outcome: 'failed',
    reason,
    costTokens,
  }),
);
