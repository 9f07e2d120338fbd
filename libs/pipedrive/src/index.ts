export { parseApiDomain } from './api-domain.ts';
export type { Authorization, Body, CallReport } from './call.ts';
export { changelogOperations, type LoggedChange, type LoggedObject } from './changelog.ts';
export {
  createPipedriveClient,
  type PipedriveClient,
  type PipedriveClientOptions,
} from './client.ts';
export type { Conversion } from './conversions.ts';
export { isCustomCode, isReadOnly } from './field-codes.ts';
export { fieldOperations, type FieldOwner, listFieldOperations } from './field-operations.ts';
export { CREATABLE_TYPES, type CreatableType, type NewField } from './fields.ts';
export { explainLimit, type LimitAnswer, type LimitKind, type RateLimitHeaders } from './limits.ts';
export type { ListByIdsOptions, ListOptions } from './list-query.ts';
export { type Merge, type MergeableObject, mergeOperations } from './merging.ts';
export { completeCatalogue, normaliseField } from './normalise-field.ts';
export { normaliseFields, normaliseRecord } from './normalise-record.ts';
export { normaliseValue } from './normalise-value.ts';
export { normaliseWebhook, type WebhookEvent, type WebhookReading } from './normalise-webhook.ts';
export {
  authorizeUrl,
  exchangeCode,
  type Grant,
  type GrantOutcome,
  type OauthApp,
  refreshGrant,
  type RevokeOutcome,
  revokeGrant,
} from './oauth.ts';
export { type Operation, type OperationName, operations } from './operations.ts';
export type { Failure, Outcome } from './outcomes.ts';
export type { ActivityType, Pipeline, Stage } from './pipelines.ts';
export { toRequestBody, unwritableFields } from './record-body.ts';
export { needsList } from './record-lists.ts';
export {
  isListedByIds,
  type ListedByIds,
  listOperationOf,
  type RecordObject,
  recordOperations,
} from './record-operations.ts';
export type { GetOptions, WriteOptions } from './records.ts';
export type { ItemFieldSearch, ItemMatch, NearRecords, PersonMatch } from './searches.ts';
export type { Me, PipedriveUser } from './users.ts';
export type { NewWebhook, WebhookSubscription } from './webhooks.ts';
