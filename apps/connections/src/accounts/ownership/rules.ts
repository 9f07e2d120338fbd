import { Refusal } from '@manifold/errors';

/** With somebody's own connection one sees and does what that person may, so nobody else uses it. */
export function requireOwn(
  connection: { id: string; kind: 'ORGANIZATION' | 'PERSONAL'; user_id: string },
  userId: string,
  field: string,
): void {
  if (connection.kind === 'ORGANIZATION' || connection.user_id === userId) return;
  throw new Refusal('forbidden', `The connection ${connection.id} is of another person`, {
    reason: 'connection_of_another_user',
    field,
    fix: 'Use the connection of the organization, or connect yourself.',
  });
}
