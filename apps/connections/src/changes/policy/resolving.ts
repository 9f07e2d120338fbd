import { GuardRails } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { optional, type RequestContext, requireRole } from '@manifold/subgraph';
import { z } from 'zod';
import type { Db } from '../../store.ts';
import { defaultPolicy } from './rules.ts';
import { findWritePolicy, setWritePolicy, type WritePolicy } from './store.ts';

/** Guard rails as the graph spells them: null says as little as nothing. */
export const GuardRailsInput = optional(
  z
    .object({
      maxRecords: z.number().nullish(),
      maxPercent: z.number().nullish(),
      allowDeletes: z.boolean().nullish(),
      allowMerges: z.boolean().nullish(),
    })
    .transform((given) =>
      Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)),
    )
    .pipe(GuardRails),
);

const PolicyArguments = z.object({
  input: z.object({
    automatic: optional(z.enum(['NEVER', 'UPDATES', 'ALL'])),
    automaticMaxRecords: optional(z.int().min(0).max(100_000)),
    guardRails: GuardRailsInput,
    imageDays: optional(z.int().min(0).max(30)),
    approverRole: optional(z.enum(['MEMBER', 'ADMIN', 'OWNER'])),
  }),
});

export const readWritePolicy = (db: Db, { workspaceId }: RequestContext): Promise<WritePolicy> =>
  withWorkspace(db, workspaceId, async (tx) => (await findWritePolicy(tx)) ?? defaultPolicy);

/** Replaces the policy of the workspace. */
export async function changeWritePolicy(
  { db, now }: { db: Db; now: () => Date },
  args: unknown,
  context: RequestContext,
): Promise<{ writePolicy: WritePolicy }> {
  requireRole(context.identity, 'ADMIN');
  const { input } = PolicyArguments.parse(args);
  const rails = input.guardRails;
  const policy: WritePolicy = {
    automatic: input.automatic ?? defaultPolicy.automatic,
    automatic_max_records: input.automaticMaxRecords ?? null,
    max_records: rails?.maxRecords ?? null,
    max_percent: rails?.maxPercent ?? null,
    allow_deletes: rails?.allowDeletes ?? false,
    allow_merges: rails?.allowMerges ?? false,
    image_days: input.imageDays ?? defaultPolicy.image_days,
    approver_role: input.approverRole ?? defaultPolicy.approver_role,
  };
  const { workspaceId } = context;
  await withWorkspace(db, workspaceId, (tx) =>
    setWritePolicy(tx, workspaceId, { policy, now: now() }),
  );
  return { writePolicy: policy };
}

export const policyFields = {
  automaticMaxRecords: ({ automatic_max_records }: WritePolicy) => automatic_max_records,
  guardRails: (policy: WritePolicy) => policy,
  imageDays: ({ image_days }: WritePolicy) => image_days,
  approverRole: ({ approver_role }: WritePolicy) => approver_role,
};

type Rails = Pick<WritePolicy, 'max_records' | 'max_percent' | 'allow_deletes' | 'allow_merges'>;

export const railsFields = {
  maxRecords: ({ max_records }: Rails) => max_records,
  maxPercent: ({ max_percent }: Rails) => max_percent,
  allowDeletes: ({ allow_deletes }: Rails) => allow_deletes,
  allowMerges: ({ allow_merges }: Rails) => allow_merges,
};
