import { ChangeSetId, FieldValue, IdentityKey, WriteCommand } from '@manifold/contracts';
import { createOnce } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import { boundedText, optional } from '@manifold/subgraph';
import { z } from 'zod';
import type { Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { storeWrite } from '../writes/submitting.ts';
import { lockSet } from './commands.ts';
import type { ChangeSet } from './store.ts';

const kinds = ['PIPEDRIVE_ID', 'EMAIL', 'PHONE', 'NAME', 'DOMAIN', 'FIELD'] as const;

const Identity = z.object({
  kind: z.enum(kinds),
  value: boundedText(255).min(1),
  field: optional(boundedText(64).min(1)),
});

const MOST_CHARACTERS = 50_000;
const Value = FieldValue.refine(
  (value) => JSON.stringify(value).length <= MOST_CHARACTERS,
  'is too long for a field',
);

/** One wish, as the graph spells it. */
const Wanted = z.object({
  operation: optional(z.enum(['UPSERT', 'CREATE', 'UPDATE', 'DELETE'])),
  object: z.enum([
    ...['person', 'organization', 'deal', 'lead', 'activity', 'note', 'product'],
  ] as const),
  identity: z.array(Identity).max(5),
  fields: z.array(z.object({ code: boundedText(64).min(1), value: Value.nullish() })).max(200),
  existing: optional(z.enum(['UPDATE', 'FILL_BLANKS', 'LEAVE'])),
});
export type Wanted = z.infer<typeof Wanted>;

export const WantedList = z.array(Wanted).max(500);

/** Stores wishes with an open set, once per key. */
export async function addWanted(
  { tx, vault }: { tx: Tx; vault: Vault },
  asked: {
    id: string;
    wanted: readonly Wanted[];
    idempotencyKey: string | undefined;
    asker: Origin;
  },
  now: Date,
): Promise<void> {
  const { id, wanted, idempotencyKey: key, asker } = asked;
  const { workspaceId } = asker;
  const parseId = (text: string) => ChangeSetId.parse(text);
  const input = { id, wanted };
  const call = { workspaceId, operation: 'addToChangeSet', key, input, now, parseId };
  await createOnce(tx, call, async () => {
    const set = await lockSet(tx, id);
    if (set.state !== 'open') throw notOpen(set);
    for (const [index, one] of wanted.entries()) {
      const command = commandOf(set, asker, { wanted: one, row: set.change_count + index });
      await storeWrite({ tx, vault }, command, { now }).catch((error: unknown) => {
        throw inRow(error, index);
      });
    }
    return set.id;
  });
}

/** The row is part of the step's name, which tells rows without an identity apart. */
const commandOf = (
  set: ChangeSet,
  { actor, correlationId }: Origin,
  { wanted, row }: { wanted: Wanted; row: number },
): WriteCommand =>
  WriteCommand.parse({
    workspaceId: set.workspace_id,
    connectionId: set.connection_id,
    actor,
    correlationId,
    idempotencyKey: `${set.id}|${row}`,
    cause: { service: 'connections', type: 'ChangeSet', id: set.id },
    lane: 'bulk',
    changeSetId: set.id,
    steps: [
      {
        name: `row_${row}`,
        operation: wanted.operation?.toLowerCase() ?? 'upsert',
        object: wanted.object,
        identity: wanted.identity.map(keyOf),
        fields: Object.fromEntries(wanted.fields.map(({ code, value }) => [code, value ?? null])),
        existing: wanted.existing?.toLowerCase() ?? 'update',
      },
    ],
  });

const keyOf = ({ kind, value, field }: z.infer<typeof Identity>): unknown =>
  IdentityKey.parse({
    kind: kind.toLowerCase(),
    value,
    ...(field === undefined ? {} : { field }),
  });

const notOpen = (set: ChangeSet) =>
  new Refusal('precondition', `Change set ${set.id} takes no more changes`, {
    reason: 'change_set_not_open',
    field: 'input.id',
    fix: 'Open another change set for what is to be added.',
  });

/** Says which of the rows it is about. */
function inRow(error: unknown, index: number): unknown {
  if (!(error instanceof Refusal)) return error;
  const { field = '', ...detail } = error.detail;
  const path = field.replace(/^steps\.0\.?/, '');
  const place = `input.changes.${index}${path === '' ? '' : `.${path}`}`;
  return new Refusal(error.kind, error.message, { ...detail, field: place });
}
