import { randomUUID } from 'node:crypto';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Connection } from '../../accounts/tables.ts';
import type { FieldCreationDeps } from './catalogue.ts';
import { extendCreation, leaseCreation } from './store.ts';

/** Longer than the calls it takes; a field of unknown end shows up in Pipedrive's list within it. */
const MAKING_MS = 60_000;

/** The right to change the fields of a company, held by one at a time. */
export interface CreationLease {
  /** Starts its time anew, right before Pipedrive is asked; throws when somebody else has it by now. */
  renew: () => Promise<void>;
  /** Left out, it runs out by itself: for what may have been done all the same. */
  end: () => Promise<void>;
}

export async function takeLease(
  { db, now }: Pick<FieldCreationDeps, 'db' | 'now'>,
  { workspace_id: workspaceId, company_id: companyId }: Connection,
): Promise<CreationLease> {
  const owner = randomUUID();
  const untilOf = (at: Date) => new Date(at.getTime() + MAKING_MS);
  const set = (until: Date | null) =>
    withWorkspace(db, workspaceId, (tx) => extendCreation(tx, companyId, { owner, until }));
  const at = now();
  const isOurs = await withWorkspace(db, workspaceId, (tx) =>
    leaseCreation(tx, { workspaceId, companyId }, { owner, now: at, until: untilOf(at) }),
  );
  if (!isOurs) throw busy();
  return {
    renew: async () => {
      if (!(await set(untilOf(now())))) throw busy();
    },
    end: async () => void (await set(null)),
  };
}

const busy = (): Refusal =>
  new Refusal('unavailable', 'Another field of this company is being made', {
    reason: 'service_unavailable',
    fix: 'Try again in a moment.',
  });
