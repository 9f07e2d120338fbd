import type { Json } from '../json.ts';
import type { Operation } from '../operations.ts';
import type { World } from '../world.ts';
import type { Actor } from './actor.ts';
import type { Reply } from './reply.ts';

/** A request that has passed authentication, limits, scopes and validation. */
export interface ApiRequest {
  operation: Operation;
  params: Record<string, string>;
  query: URLSearchParams;
  body: Json;
  actor: Actor;
  /** What webhooks will say about the origin of the change. */
  changeSource: 'app' | 'api';
}

export type Handler = (request: ApiRequest, world: World) => Reply | Promise<Reply>;
/** By `<version> <operation id>`. */
export type Handlers = Record<string, Handler>;
