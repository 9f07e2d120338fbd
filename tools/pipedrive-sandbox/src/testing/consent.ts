import type { Caller } from './caller.ts';

export const APP = {
  clientId: 'app-1',
  clientSecret: 'secret-1',
  name: 'Test app',
  redirectUris: ['http://127.0.0.1:9/callback'],
  scopes: ['contacts:full', 'leads:full', 'users:read', 'search:read', 'admin', 'deals:read'],
};

/** Presses "Allow and install" and returns the address the browser is sent back to. */
export async function consent(
  call: Caller,
  {
    clientId = APP.clientId,
    redirectUri = APP.redirectUris[0] ?? '',
    userId,
    decision = 'allow',
  }: {
    clientId?: string;
    redirectUri?: string;
    userId: number;
    decision?: 'allow' | 'deny';
  },
): Promise<URL> {
  const form = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    state: 'state-1',
    user_id: String(userId),
    decision,
  });
  const answer = await call('POST', '/oauth/authorize', form);
  return new URL(answer.headers.get('location') ?? 'about:blank');
}

/** The header a confidential client sends to the token endpoints. */
export function basic(clientId: string, clientSecret: string): Record<string, string> {
  const pair = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}
