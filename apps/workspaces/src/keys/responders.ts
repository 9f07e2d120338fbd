import { Authenticate } from '@manifold/contracts';
import { respondTo } from '@manifold/messaging';
import type { Db } from '../store.ts';
import { authenticate } from './commands.ts';

export const createResponders = ({ db, now }: { db: Db; now: () => Date }) => [
  respondTo(Authenticate, (question) => authenticate(db, question, now())),
];
