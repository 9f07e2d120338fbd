export { parseApiDomain } from './calling/api-domain.ts';
export type { Authorization, Body, CallReport } from './calling/call.ts';
export { changelogOperations, type LoggedChange, type LoggedObject } from './records/changelog.ts';
export {
  createPipedriveClient,
  type PipedriveClient,
  type PipedriveClientOptions,
} from './client.ts';
export type { Conversion } from './normalising/conversions.ts';
export { isCustomCode, isReadOnly } from './fields/field-codes.ts';
export {
  fieldOperations,
  type FieldOwner,
  listFieldOperations,
} from './fields/field-operations.ts';
export { CREATABLE_TYPES, type CreatableType, type NewField } from './fields/fields.ts';
export {
  explainLimit,
  type LimitAnswer,
  type LimitKind,
  type RateLimitHeaders,
} from './calling/limits.ts';
export type { ListByIdsOptions, ListOptions } from './records/list-query.ts';
export { type Merge, type MergeableObject, mergeOperations } from './records/merging.ts';
export { completeCatalogue, normaliseField } from './normalising/normalise-field.ts';
export { normaliseFields, normaliseRecord } from './normalising/normalise-record.ts';
export { normaliseValue } from './normalising/normalise-value.ts';
export {
  normaliseWebhook,
  type WebhookEvent,
  type WebhookReading,
} from './normalising/normalise-webhook.ts';
export {
  authorizeUrl,
  exchangeCode,
  type Grant,
  type GrantOutcome,
  type OauthApp,
  refreshGrant,
  type RevokeOutcome,
  revokeGrant,
} from './calling/oauth.ts';
export { type Operation, type OperationName, operations } from './operations.ts';
export type { Failure, Outcome } from './calling/outcomes.ts';
export type { ActivityType, Pipeline, Stage } from './pipelines.ts';
export { toRequestBody, unwritableFields } from './records/record-body.ts';
export { needsList } from './records/record-lists.ts';
export {
  isListedByIds,
  type ListedByIds,
  listOperationOf,
  type RecordObject,
  recordOperations,
} from './records/record-operations.ts';
export type { GetOptions, WriteOptions } from './records/records.ts';
export type { ItemFieldSearch, ItemMatch, NearRecords, PersonMatch } from './records/searches.ts';
export type { Me, PipedriveUser } from './users.ts';
export type { NewWebhook, WebhookSubscription } from './webhooks.ts';
