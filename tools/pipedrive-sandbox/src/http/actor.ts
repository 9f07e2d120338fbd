import type { User } from '../users/users.ts';

/** Who asks. `token` only tells callers apart for limits; it is never logged or listed. */
export interface Actor {
  kind: 'api_token' | 'oauth';
  user: User;
  token: string;
  /** Of an OAuth token: the app and what its user agreed to. */
  app?: { clientId: string; scopes: string[] };
}
