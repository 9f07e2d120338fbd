import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '@manifold/errors';
import { type HttpHandler, readBody, sendJson } from '@manifold/service';
import { z } from 'zod';
import type { Connection } from '../accounts/tables.ts';
import { basicAuthorization, isSameSecret } from '../vault/compare.ts';
import { appOf } from './apps.ts';
import { type OauthDeps, receiveReturn } from './beginning.ts';
import { forgetGrant } from './commands.ts';
import { renderPage } from './page.ts';
import { readCallback, readTime } from './rules.ts';

const MAX_BODY_BYTES = 16 * 1024;

/** `/oauth/callback`: GET when a person comes back from Pipedrive, DELETE when they remove the app. */
export const createOauthHandler =
  (deps: OauthDeps): HttpHandler =>
  async (request, response) => {
    if (request.method === 'GET') return receiveBrowser(deps, request, response);
    if (request.method === 'DELETE') return receiveUninstall(deps, request, response);
    return sendJson(response, 405, { error: 'Use GET or DELETE' });
  };

async function receiveBrowser(
  deps: OauthDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const query = readCallback(new URL(request.url ?? '/', 'http://callback').searchParams);
  if (query.outcome === 'foreign') {
    return sendPage(response, 400, {
      title: 'Begin in Manifold',
      text: 'This address belongs to a connection that was begun in Manifold. Nothing was connected. If you came from the Pipedrive Marketplace, the app is allowed now: begin in Manifold with the mutation beginConnection.',
    });
  }
  const code = query.outcome === 'code' ? query.code : undefined;
  try {
    const { begun, completionCode } = await receiveReturn(deps, { state: query.state, code });
    if (begun.return_url !== null) return sendBack(response, begun.return_url, completionCode);
    const page = completionCode === undefined ? deniedPage : codePage(completionCode, begun.kind);
    sendPage(response, 200, page);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason, fix } = error.detail;
    deps.log.warn({ reason }, 'a browser came back in vain');
    const text = [error.message, fix].filter(Boolean).join('. ');
    sendPage(response, 400, { title: 'Not connected', text, reason });
  }
}

const deniedPage = {
  title: 'Not connected',
  text: 'You did not allow the connection, so nothing was connected. Begin again in Manifold when you want to.',
  reason: 'oauth_denied',
};

/** A whole workspace would stand still with one colleague's account. */
const dedicatedUser =
  ' It is for the whole workspace: if you allowed it with a colleague’s or your own account, consider a user of Pipedrive kept for this alone, as it breaks when that account is deactivated.';

const codePage = (code: string, kind: Connection['kind']) => ({
  title: 'One step left',
  text: `Nothing is connected yet. If you began this in Manifold yourself, complete it there within 5 minutes with the mutation completeConnection and this code. If somebody sent you here, close this page and give the code to nobody: your Pipedrive would be connected for them.${kind === 'ORGANIZATION' ? dedicatedUser : ''}`,
  code,
});

/** The frontend completes it for whoever is signed in there. */
function sendBack(response: ServerResponse, returnUrl: string, code: string | undefined): void {
  const url = new URL(returnUrl);
  // names of our own: `code` and `state` are taken by whatever signs people in there
  if (code === undefined) url.searchParams.set('connectionError', 'oauth_denied');
  else url.searchParams.set('connectionCode', code);
  response.writeHead(303, { location: url.href, ...headers });
  response.end();
}

/** Codes and states stand in the address: nothing may keep or pass it on. */
const headers = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  'x-content-type-options': 'nosniff',
};

function sendPage(
  response: ServerResponse,
  status: number,
  page: Parameters<typeof renderPage>[0],
): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', ...headers });
  response.end(renderPage(page));
}

const id = z.union([z.string().min(1).max(32), z.number().int()]).transform(String);
const Uninstall = z.object({
  client_id: z.string(),
  company_id: id,
  user_id: id,
  timestamp: z.unknown().optional(),
});

async function receiveUninstall(
  deps: OauthDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parsed = Uninstall.safeParse(await readJson(request));
  // the notice names its app, and only that app's secret can vouch for it
  const app = parsed.success ? appOf(deps.apps, parsed.data.client_id) : undefined;
  const expected = basicAuthorization(app?.clientId ?? '', app?.clientSecret ?? '');
  const isSame = isSameSecret(request.headers.authorization ?? '', expected);
  if (!parsed.success || app === undefined || !isSame) {
    return sendJson(response, 401, { error: 'Unauthorized' });
  }
  await forgetGrant(
    deps,
    {
      clientId: app.clientId,
      companyId: parsed.data.company_id,
      pipedriveUserId: parsed.data.user_id,
    },
    readTime(parsed.data.timestamp),
  );
  sendJson(response, 200, {});
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  try {
    return JSON.parse((await readBody(request, MAX_BODY_BYTES)).toString('utf8'));
  } catch {
    return undefined;
  }
}
