import { type IdentityKey, type WorkspaceId, WriteCommand } from '@manifold/contracts';
import type { RecordObject } from '@manifold/pipedrive';
import type { z } from 'zod';

let count = 0;

/** A command; unless told otherwise a sign-up of one person with a lead. */
export function commandOf(
  of: { workspaceId: string; connectionId: string },
  command: Partial<z.input<typeof WriteCommand>> = {},
): WriteCommand {
  count += 1;
  const id = `ru_${String(count).padStart(32, '0')}`;
  return WriteCommand.parse({
    ...of,
    actor: { kind: 'service', id: 'referrals' },
    correlationId: `correlation-${count}`,
    idempotencyKey: `key-${count}`,
    cause: { service: 'referrals', type: 'ReferralUser', id },
    lane: 'interactive',
    steps: [personStep(`person${count}@example.test`), leadStep()],
    ...command,
  });
}

/** Somebody who redrives or cancels. */
export const askerOf = (workspaceId: WorkspaceId) => ({
  workspaceId,
  actor: { kind: 'user' as const, id: 'us_00000000000000000000000000000001' },
  correlationId: 'asked-by-a-person',
});

type StepInput = z.input<typeof WriteCommand>['steps'][number];

export const personStep = (email: string, change: Partial<StepInput> = {}): StepInput => ({
  name: 'person',
  operation: 'upsert',
  object: 'person',
  identity: [{ kind: 'email', value: email }],
  fields: { name: 'Ada Canary', emails: [{ value: email, label: 'work', primary: true }] },
  ...change,
});

export const leadStep = (change: Partial<StepInput> = {}): StepInput => ({
  name: 'lead',
  operation: 'create',
  object: 'lead',
  identity: [],
  fields: { title: 'Spring campaign' },
  references: { person_id: 'person' },
  guard: 'if_previous_applied',
  ...change,
});

/** One step about an object. */
export const stepOf = (
  object: RecordObject,
  operation: StepInput['operation'],
  change: Partial<StepInput> = {},
): StepInput => ({ name: 'step', operation, object, identity: [], fields: {}, ...change });

export const idOf = (id: string | number | null | undefined): IdentityKey => ({
  kind: 'pipedrive_id',
  value: String(id),
});
