export { parseApiDomain } from './api-domain.ts';
export type { Authorization, Body, CallReport } from './call.ts';
export {
  createPipedriveClient,
  type PipedriveClient,
  type PipedriveClientOptions,
} from './client.ts';
export { isCustomCode, isReadOnly } from './field-codes.ts';
export type { CreatableType, FieldOwner, NewField } from './fields.ts';
export { explainLimit, type LimitAnswer, type LimitKind, type RateLimitHeaders } from './limits.ts';
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
export { toRequestBody } from './record-body.ts';
export {
  type ListOptions,
  type RecordObject,
  recordOperations,
  type WriteOptions,
} from './records.ts';
export type { ItemFieldSearch, ItemMatch, PersonMatch } from './searches.ts';
export type { Me, PipedriveUser } from './users.ts';
export type { NewWebhook, WebhookSubscription } from './webhooks.ts';
