import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizeUrl, exchangeCode, refreshGrant, revokeGrant } from './oauth.ts';
import { type AnsweringServer, saying, startAnsweringServer } from '../testing/answering-server.ts';

let server: AnsweringServer;
beforeAll(async () => {
  server = await startAnsweringServer();
});
afterAll(() => server.stop());

const app = () => ({
  clientId: 'id',
  clientSecret: 'secret',
  oauthUrl: server.url,
  timeoutMs: 1_000,
});
const refresh = () => refreshGrant(app(), { refreshToken: 'r' });
const grant = {
  access_token: 'a',
  refresh_token: 'r2',
  expires_in: 3599,
  scope: 'base,contacts:full deals:read',
  api_domain: 'https://acme.pipedrive.com',
  token_type: 'Bearer',
};

describe('a grant', () => {
  it('is asked for by the app, with its form, and comes back whole', async () => {
    server.answer(saying(200, grant));
    const outcome = await exchangeCode(app(), {
      code: 'c',
      redirectUri: 'https://us.test/callback',
    });
    expect(outcome).toEqual({
      outcome: 'ok',
      grant: {
        accessToken: 'a',
        refreshToken: 'r2',
        expiresInSeconds: 3599,
        scopes: ['base', 'contacts:full', 'deals:read'],
        apiDomain: 'https://acme.pipedrive.com',
        tokenType: 'Bearer',
      },
    });
    expect(server.requests.at(-1)).toMatchObject({
      url: '/oauth/token',
      headers: { authorization: `Basic ${btoa('id:secret')}` },
      body: 'grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fus.test%2Fcallback',
    });
  });

  it.each([
    { error: 'invalid_grant' },
    { success: false, message: 'refresh_token is invalid' },
    { success: false, error: 'authorization_code has expired' },
    { error: 'refresh_token xyz was already exchanged' },
  ])('is dead only when Pipedrive says so: %j', async (body) => {
    server.answer(saying(400, body));
    expect(await refresh()).toEqual({ outcome: 'invalid_grant' });
  });

  it.each([
    [400, { error: 'invalid_client' }],
    [400, { message: 'client is invalid' }],
    [400, { message: 'redirect_uri is invalid' }],
    [401, {}],
  ])('%i %j is the fault of the app, not of a tenant', async (status, body) => {
    server.answer(saying(status, body));
    expect(await refresh()).toEqual({ outcome: 'invalid_client' });
  });

  it.each([
    [400, { error: 'something new' }, 'http_400'],
    [400, '<html>', 'http_400'],
    [429, {}, 'http_429'],
    [500, {}, 'http_500'],
    [200, { ...grant, access_token: '' }, 'answer_unreadable'],
    [200, 'not json', 'answer_unreadable'],
  ])('%i %j decides nothing', async (status, body, cause) => {
    server.answer(saying(status, body));
    expect(await refresh()).toEqual({ outcome: 'unavailable', cause });
  });

  it('survives a token endpoint that does not answer', async () => {
    server.answer(() => undefined);
    expect(await refresh()).toMatchObject({ outcome: 'unavailable' });
  });

  it('that is already gone counts as revoked', async () => {
    server.answer(saying(200, {}));
    expect(await revokeGrant(app(), { token: 't', hint: 'refresh_token' })).toEqual({
      outcome: 'ok',
    });
    server.answer(saying(400, { error: 'invalid_grant' }));
    expect(await revokeGrant(app(), { token: 't', hint: 'refresh_token' })).toEqual({
      outcome: 'ok',
    });
    server.answer(saying(503, {}));
    expect(await revokeGrant(app(), { token: 't', hint: 'refresh_token' })).toEqual({
      outcome: 'unavailable',
      cause: 'http_503',
    });
  });
});

describe('the address of consent', () => {
  it('is Pipedrive’s, with state and no scope', () => {
    const url = authorizeUrl({
      clientId: 'id',
      redirectUri: 'https://us.test/cb?x=1',
      state: 's&t',
    });
    expect(url).toBe(
      'https://oauth.pipedrive.com/oauth/authorize?client_id=id&redirect_uri=https%3A%2F%2Fus.test%2Fcb%3Fx%3D1&state=s%26t',
    );
  });
});
