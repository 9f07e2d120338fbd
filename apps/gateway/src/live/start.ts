import type { ServerResponse } from 'node:http';
import type { Identity } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { brokerAnswers } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { buildSchema } from 'graphql';
import type { Logger } from 'pino';
import type { OperationContext } from '../operations/context.ts';
import type { Executed } from '../operations/execute.ts';
import type { Operation } from '../operations/read-operation.ts';
import { answerOf } from './answers.ts';
import { readDeclarations } from './declarations.ts';
import { follow } from './follow.ts';
import { type Hearing, startHearing } from './hearing.ts';
import { createPlaces } from './places.ts';
import { readSubscription, type Subscription } from './subscription.ts';
import { openStream } from './stream.ts';
import { type Twin, twinOf } from './twin.ts';

/** After this long a client has to come again, so that no connection outlives what it runs on. */
const LIFETIME_MS = 3_600_000;

/** One request that wants its answer as a stream. */
export interface LiveRequest {
  response: ServerResponse;
  operation: Operation;
  /** Undefined: another operation, answered once. */
  subscription: Subscription | undefined;
  caller: Identity;
  correlationId: string;
  /** Asks again who the caller is; throws a refusal when the key opens nothing any more. */
  identify: () => Promise<Identity>;
}

export interface LiveOptions {
  supergraphSdl: string;
  nats: NatsConnection;
  onCallersChange: (listener: (workspaceId: string) => void) => () => void;
  /** Runs one operation, as if it had been sent. */
  execute: (
    operation: Operation,
    context: Omit<OperationContext, 'signal'> & { over: AbortSignal },
  ) => Promise<Executed>;
  log: Logger;
}

/** What a test changes to see an end. */
export interface LiveSettings {
  lifetimeMs?: number;
  places?: Parameters<typeof createPlaces>[0];
  stuckMs?: number;
}

/** What every subscription of a process shares. */
interface Shared {
  options: LiveOptions & LiveSettings;
  hearing: Hearing;
  stopping: AbortSignal;
}

/** Answers in streams: subscriptions until they are over, other operations once. */
export function startLive(options: LiveOptions & LiveSettings) {
  const { supergraphSdl, nats, log } = options;
  // more than clients see, all the same: what is asked in the end is validated against what they see
  const schema = buildSchema(supergraphSdl, { assumeValid: true });
  const graph = { schema, declarations: readDeclarations(supergraphSdl) };
  const hearing = startHearing({ nats, log });
  const takePlace = createPlaces(options.places);
  const stopping = new AbortController();
  const shared = { options, hearing, stopping: stopping.signal };
  const open = new Set<Promise<void>>();
  return {
    answer: async (live: LiveRequest): Promise<void> => {
      if (stopping.signal.aborted) throw closing();
      const { subscription } = live;
      if (!subscription?.isValid) return answerOnce(shared, live);
      const twin = twinOf(subscription, live.operation.variables ?? {}, graph);
      const leavePlace = takePlace(live.caller);
      const answered = answerOn(shared, live, twin).finally(leavePlace);
      open.add(answered);
      await answered.finally(() => open.delete(answered));
    },
    /** The subscription an operation is, if it is one. */
    read: (operation: Operation) => readSubscription(operation, schema),
    /** Ends every stream; clients come again, to another process. */
    stop: async (): Promise<void> => {
      stopping.abort();
      await Promise.allSettled(open);
      hearing.stop();
    },
  };
}

async function answerOnce({ options, stopping }: Shared, live: LiveRequest): Promise<void> {
  const { response, operation, caller, correlationId } = live;
  const { json } = await options.execute(operation, { caller, correlationId, over: stopping });
  const stream = openStream(response);
  stream.next(json);
  stream.complete();
}

async function answerOn(
  { options, hearing, stopping }: Shared,
  live: LiveRequest,
  twin: Twin,
): Promise<void> {
  const { nats, execute, stuckMs, lifetimeMs = LIFETIME_MS } = options;
  const { response, correlationId, identify } = live;
  const { workspaceId } = live.caller;
  let { caller } = live;
  const stream = openStream(response, stuckMs === undefined ? {} : { stuckMs });
  const over = AbortSignal.any([stream.gone, stopping, AbortSignal.timeout(lifetimeMs)]);
  await follow({
    twin,
    correlationId,
    stream,
    over,
    check: async () => {
      const now = await identify();
      if (now.workspaceId !== workspaceId) throw elsewhere();
      caller = now;
    },
    ask: async ({ followed }) =>
      answerOf((await execute(twin.ask(followed), { caller, correlationId, over })).json),
    hear: (listener) => {
      const stops = [
        hearing.hear({ events: twin.declaration.events, workspaceId }, listener),
        options.onCallersChange((changed) => {
          if (changed === workspaceId) listener({ news: 'caller' });
        }),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    heard: () => brokerAnswers(nats),
  });
}

export type Live = ReturnType<typeof startLive>;

const elsewhere = (): Refusal =>
  new Refusal('unauthenticated', 'The key now opens another workspace', {
    reason: 'workspace_not_chosen',
    fix: 'Subscribe again; the header x-workspace says which workspace is meant.',
  });

const closing = (): Refusal =>
  new Refusal('unavailable', 'The gateway is about to stop', {
    reason: 'service_unavailable',
    fix: 'Try again in a moment.',
  });
