import type { JsonObject } from '../json.ts';
import { operations } from '../operations.ts';
import type { User } from '../users/users.ts';
import type { World } from '../world.ts';
import { answerAdmitted } from './api.ts';
import { refused } from './problem.ts';
import type { Reply } from './reply.ts';

export interface Edit {
  object: string;
  /** Of the record; without it a new one is made. */
  id: string | undefined;
  /** null deletes. */
  fields: JsonObject | null;
  user: User;
}

/** What a user does in Pipedrive's own pages: it costs nothing, counts nowhere, and webhooks call its source "app". */
export function editByHand({ object, id, fields, user }: Edit, world: World): Promise<Reply> {
  const verb = id === undefined ? 'add' : fields === null ? 'delete' : 'update';
  const name = `${verb}${object.charAt(0).toUpperCase()}${object.slice(1)}`;
  const operation = operations.find((known) => known.id === name);
  if (operation === undefined) throw refused(400, `There is no ${object} to edit`);
  const incoming = {
    method: operation.method,
    path: operation.path,
    query: new URLSearchParams(),
    headers: { 'x-sandbox-change-source': 'app' },
    contentType: 'application/json',
    text: fields === null ? '' : JSON.stringify(fields),
  };
  const params: Record<string, string> = id === undefined ? {} : { id };
  const actor = { kind: 'api_token' as const, user, token: user.apiToken };
  return answerAdmitted({ operation, params }, actor, { incoming, world });
}
