import { createIdempotency } from '@manifold/database';
import { createMessaging } from '@manifold/messaging';
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createMessaging(db);
  await createIdempotency(db);
}
