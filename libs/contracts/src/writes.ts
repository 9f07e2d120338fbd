import { z } from 'zod';
import { WriteCause } from './settled-writes.ts';
import { Actor } from './event.ts';
import {
  ChangeSetId,
  ConnectionId,
  FieldMappingId,
  UserId,
  WorkspaceId,
  WriteRequestId,
} from './ids.ts';
import { FieldValue, PipedriveObject } from './pipedrive-records.ts';
import { defineRequest } from './request.ts';

/** What says which record is meant, in order of trust. */
export const IdentityKey = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pipedrive_id'), value: z.string().min(1).max(64) }),
  z.object({ kind: z.literal('email'), value: z.string().min(3).max(254) }),
  z.object({ kind: z.literal('phone'), value: z.string().min(5).max(64) }),
  z.object({ kind: z.literal('name'), value: z.string().min(1).max(255) }),
  /** A web domain such as `acme.com`, in the built-in `website` or a custom field. Pipedrive cannot search it. */
  z.object({
    kind: z.literal('domain'),
    field: z.string().min(1).max(64).default('website'),
    value: z.string().min(3).max(253),
  }),
  z.object({
    kind: z.literal('field'),
    field: z.string().min(1).max(64),
    value: z.string().min(1).max(255),
  }),
]);
export type IdentityKey = z.infer<typeof IdentityKey>;

const StepName = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/);
const Fields = z.record(z.string().min(1).max(64), FieldValue);

export const WriteStep = z.object({
  name: StepName,
  /** `upsert` finds or makes the record, `update` only changes one that is there. */
  operation: z.enum(['upsert', 'create', 'update', 'merge', 'link', 'delete']),
  object: PipedriveObject,
  /** Empty: the cause of the request is the identity, and nothing is searched for. */
  identity: z.array(IdentityKey).max(5),
  fields: Fields,
  /** Written only if the step creates the record. A key in `fields` wins over the same key here. */
  createOnlyFields: Fields.default({}),
  /**
   * Field code → name of an earlier step whose record id it takes. Of a merge the one key `survivor`:
   * that step's record stays.
   */
  references: z.record(z.string().min(1).max(64), StepName).default({}),
  /** What happens when the record already exists. */
  existing: z.enum(['update', 'fill_blanks', 'leave']).default('update'),
  guard: z.enum(['always', 'only_if_created', 'if_previous_applied']).default('always'),
  /** Of a merge: the record that stays. `identity` says which one disappears into it. */
  survivor: z.array(IdentityKey).max(5).default([]),
  /** Field code → value it must still have. A field that has another one by now is left alone. */
  onlyWhere: Fields.default({}),
});
export type WriteStep = z.infer<typeof WriteStep>;

/** What should be true in Pipedrive. A command with one receiver; asking twice with one key is asking once. */
export const WriteCommand = z.object({
  workspaceId: WorkspaceId,
  connectionId: ConnectionId,
  /** Whose personal connection should be used where there is one; absent: the organization's. */
  actingUserId: UserId.optional(),
  actor: Actor,
  correlationId: z.string().min(1).max(64),
  /** The id of what caused it. */
  idempotencyKey: z.string().min(1).max(128),
  /**
   * Key of an earlier request this one takes the place of: what is left of that one is cancelled as
   * this one is stored. Refused where something of the earlier one was, or may have been, written.
   */
  supersedes: z.string().min(1).max(128).optional(),
  cause: WriteCause,
  lane: z.enum(['interactive', 'event', 'bulk']),
  mapping: z.object({ id: FieldMappingId, version: z.int().positive() }).optional(),
  steps: z.array(WriteStep).min(1).max(5),
  /** Part of this change set: planned with it, and sent when it is applied. */
  changeSetId: ChangeSetId.optional(),
});
export type WriteCommand = z.infer<typeof WriteCommand>;

/** Answered as soon as the command is stored; outcomes follow as `connections.step_settled`. */
export const SubmitWrite = defineRequest(
  'request.connections.submit_write.v1',
  WriteCommand,
  z.object({ writeRequestId: WriteRequestId, repeated: z.boolean() }),
);
