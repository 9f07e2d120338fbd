import { SubmitWrite } from '@manifold/contracts';
import { type Responder, respondTo } from '@manifold/messaging';
import type { Db } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { submitWrite } from './submitting.ts';

export const createResponders = (deps: {
  db: Db;
  vault: Vault;
  now: () => Date;
  /** Tells the worker that there is something to send. */
  wake: () => void;
}): Responder[] => [
  respondTo(SubmitWrite, async (command) => {
    const stored = await submitWrite(deps, command, deps.now());
    deps.wake();
    return stored;
  }),
];
