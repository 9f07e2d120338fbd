import type { Dispatcher } from 'undici';
import { parseApiDomain } from './calling/api-domain.ts';
import { type Authorization, type CallReport, createCall } from './calling/call.ts';
import { type Changelog, createChangelog } from './records/changelog.ts';
import { type Conversions, createConversions } from './normalising/conversions.ts';
import { createFields, type Fields } from './fields/fields.ts';
import { createMerging, type Merging } from './records/merging.ts';
import { createPipelines, type Pipelines } from './pipelines.ts';
import { createRecords, type Records } from './records/records.ts';
import { createSearches, type Searches } from './records/searches.ts';
import { createDispatcher } from './calling/transmit.ts';
import { createUsers, type Users } from './users.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';

export interface PipedriveClientOptions {
  /** `api_domain` of the grant, or `https://<company>.pipedrive.com` for an API token. */
  apiDomain: string;
  /** Other origins that may be called, for a local Pipedrive. */
  allowedApiDomains?: readonly string[];
  /** Asked before every call; what it throws goes to the caller of the function. */
  authorization: () => Promise<Authorization>;
  /** For a whole call, connecting (5 s) not included. */
  timeoutMs: number;
  /** Share one between clients. Absent: all clients without one share the library's own. */
  dispatcher?: Dispatcher;
  /** Hears of every finished call: ledger, limits, metrics. */
  onCall?: (call: CallReport) => void;
}

/** Everything Manifold asks of one Pipedrive company with one credential. */
export interface PipedriveClient
  extends Records,
    Merging,
    Changelog,
    Conversions,
    Fields,
    Pipelines,
    Searches,
    Users,
    Webhooks {}

let ownDispatcher: Dispatcher | undefined;

/**
 * A client for one company and credential; it holds no state, so making one per use is fine.
 * Throws a RangeError for an `apiDomain` that must not be called (see `parseApiDomain`).
 */
export function createPipedriveClient(options: PipedriveClientOptions): PipedriveClient {
  const origin = parseApiDomain(options.apiDomain, options.allowedApiDomains);
  if (origin === undefined) throw new RangeError('the API domain is not one of Pipedrive');
  ownDispatcher ??= createDispatcher();
  const { authorization, timeoutMs, onCall, dispatcher = ownDispatcher } = options;
  const call = createCall({ origin, authorization, timeoutMs, dispatcher, onCall });
  return {
    ...createRecords(call),
    ...createMerging(call),
    ...createChangelog(call),
    ...createConversions(call),
    ...createPipelines(call),
    ...createFields(call),
    ...createSearches(call),
    ...createUsers(call),
    ...createWebhooks(call),
  };
}
