import { ChangeSetId, IdentityKey, WriteCommand } from '@manifold/contracts';
import { createOnce } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import type { Tx } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { storeWrite } from '../../writes/submitting.ts';
import { lockSet } from '../deciding/commands.ts';
import type { ChangeSet } from '../store.ts';
import { checkWanted, pathOf, summaryOf, type WantedProblem } from '../wanted/rules.ts';
import type { Wanted, WantedKey } from '../wanted/shape.ts';

/** Stores wishes with an open set, once per key. */
export async function addWanted(
  { tx, vault }: { tx: Tx; vault: Vault },
  asked: {
    id: string;
    wanted: readonly Wanted[];
    idempotencyKey: string | undefined;
    asker: Origin;
    /** More is going to be added. */
    mayBeEmpty?: boolean;
  },
  now: Date,
): Promise<void> {
  const { id, wanted, idempotencyKey: key, asker } = asked;
  if (wanted.length === 0 && asked.mayBeEmpty !== true) throw nothingWanted();
  const { workspaceId } = asker;
  const parseId = (text: string) => ChangeSetId.parse(text);
  const input = { id, wanted };
  const call = { workspaceId, operation: 'addToChangeSet', key, input, now, parseId };
  await createOnce(tx, call, async () => {
    const set = await lockSet(tx, id);
    if (set.state !== 'open') throw notOpen(set);
    const problems = checkWanted(wanted);
    const senseless = new Set(problems.map(({ path }) => Number(path.split('.', 1)[0])));
    for (const [index, one] of wanted.entries()) {
      if (senseless.has(index)) continue;
      const command = commandOf(set, asker, { wanted: one, row: set.change_count + index });
      await storeWrite({ tx, vault }, command, { now }).catch((error: unknown) => {
        const refusal = inRow(error, { wanted: one, index });
        // what is wrong with a row is told with the other rows' problems, and nothing is kept
        if (!(refusal instanceof Refusal) || refusal.kind !== 'invalid') throw refusal;
        problems.push(problemOf(refusal));
      });
    }
    requireNone(problems);
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

const keyOf = ({ kind, value, field }: WantedKey): unknown =>
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

const nothingWanted = () =>
  new Refusal('invalid', 'There is nothing to be changed', {
    reason: 'invalid_input',
    field: 'input.changes',
    fix: 'Give at least one change, or use `staysOpen` to add them later.',
  });

/** Refuses what cannot be meant, all of it at once. */
function requireNone(problems: readonly WantedProblem[]): void {
  const inOrder = problems.toSorted((one, other) => rowOf(one) - rowOf(other));
  const [first] = inOrder;
  if (first === undefined) return;
  throw new Refusal('invalid', summaryOf(inOrder), {
    reason: first.reason ?? 'invalid_input',
    field: `${PREFIX}${first.path}`,
    fix: first.fix,
  });
}

const PREFIX = 'input.changes.';
const rowOf = ({ path }: WantedProblem): number => Number.parseInt(path, 10);

const problemOf = ({ message, detail }: Refusal): WantedProblem => ({
  path: (detail.field ?? '').slice(PREFIX.length),
  message,
  fix: detail.fix ?? LOOK_UP,
  reason: detail.reason,
});

/** Says which of the rows it is about. */
function inRow(error: unknown, { wanted, index }: { wanted: Wanted; index: number }): unknown {
  if (!(error instanceof Refusal)) return error;
  const { field = '', fix, ...detail } = error.detail;
  const path = pathOf(wanted, field.replace(/^steps\.0\.?/, ''));
  const place = `${PREFIX}${index}${path === '' ? '' : `.${path}`}`;
  return new Refusal(error.kind, error.message, {
    ...detail,
    field: place,
    fix: fix ?? (path.startsWith('fields.') ? LEAVE_OUT : LOOK_UP),
  });
}

const LEAVE_OUT = 'Leave the field out, or use one that `pipedriveFields` shows as writable.';
const LOOK_UP = 'Correct this part of the row; its description in the schema says what it takes.';
