import type { IncomingMessage, ServerResponse } from 'node:http';
import { isHopeless, Refusal } from '@manifold/errors';
import { type HttpHandler, readBody, sendJson } from '@manifold/service';
import type { Logger } from 'pino';
import { authenticate, type ReceiveDeps, storeDelivery } from './commands.ts';
import { type Admission, createAdmission } from './limits/admission.ts';
import { createKnownPaths, type KnownPaths } from './limits/known-paths.ts';

const MAX_BODY_BYTES = 1024 * 1024;
const RETRY_SECONDS = 5;

/** `POST /webhooks/<secret>`: stored, then acknowledged; understood later. */
export function createWebhookHandler(deps: ReceiveDeps & { log: Logger }): HttpHandler {
  const admission = createAdmission(deps.now);
  const paths = createKnownPaths(deps);
  return async (request, response) => {
    if (request.method !== 'POST') return sendJson(response, 405, { error: 'Use POST' });
    try {
      await receive({ ...deps, admission, paths }, request, response);
    } catch (error) {
      if (error instanceof Refusal && isHopeless(error))
        return sendJson(response, 413, { error: 'Too large' });
      // whatever it was: Pipedrive tries again in a few seconds
      deps.log.error({ err: error }, 'webhook not stored');
      response.setHeader('retry-after', String(RETRY_SECONDS));
      sendJson(response, 503, { error: 'Try again' });
    }
  };
}

async function receive(
  deps: ReceiveDeps & { log: Logger; admission: Admission; paths: KnownPaths },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = /^\/webhooks\/([A-Za-z0-9_-]{43})$/.exec(pathOf(request))?.[1];
  if (path === undefined) return sendJson(response, 404, { error: 'Not found' });
  const authorization = request.headers.authorization ?? '';
  const isFamiliar = deps.admission.isFamiliar({ path, authorization });
  const address = isFamiliar ? undefined : await deps.paths.find(path);
  const waitSeconds = deps.admission.admit({ path, authorization }, address);
  if (waitSeconds > 0) {
    response.setHeader('retry-after', String(waitSeconds));
    return sendJson(response, 429, { error: 'Too many deliveries' });
  }
  const connection = await authenticate(deps, { path, authorization });
  deps.admission.learn({ path, authorization }, connection !== undefined);
  if (connection === undefined) return sendJson(response, 401, { error: 'Unauthorized' });
  const body = await readBody(request, MAX_BODY_BYTES);
  if (!isJson(request, body)) {
    deps.log.warn({ connection: connection.id, bytes: body.length }, 'webhook is not JSON');
    return sendJson(response, 400, { error: 'Not JSON' });
  }
  await storeDelivery(deps, connection, body.toString('utf8'));
  sendJson(response, 200, {});
}

/** As it was sent: a parser's error would quote it, secret and all. */
const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0] ?? '/';

function isJson(request: IncomingMessage, body: Buffer): boolean {
  if (!(request.headers['content-type'] ?? '').includes('json')) return false;
  try {
    JSON.parse(body.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
