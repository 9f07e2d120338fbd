import { FieldValue, IdentityKey } from '@manifold/contracts';
import { z } from 'zod';
import type { Place, Vault } from '../vault/seal.ts';
import { causeKeyText, keyText } from './identity/rules.ts';
import type { StepBody } from './rules.ts';
import type { Step, WriteRequest } from './store.ts';

const fields = z.record(z.string(), FieldValue);
const bodyShape = z.object({
  identity: z.array(IdentityKey),
  fields,
  createOnlyFields: fields,
  // absent in bodies of before there were such
  survivor: z.array(IdentityKey).default([]),
  onlyWhere: fields.default({}),
});
/** The exact body of a call, and the same values in our own form for comparing. */
const sentShape = z.object({
  fields,
  body: z.record(z.string(), z.unknown()),
  /** What tells the record of a create from any other. */
  mark: z.object({ code: z.string(), value: z.string() }).optional(),
});
export type Sent = z.infer<typeof sentShape>;

type Named = Pick<Step, 'workspace_id' | 'id'>;

type SealedColumn = 'sealed_body' | 'sealed_sent' | 'sealed_before' | 'sealed_after';

const placeOf = ({ workspace_id, id }: Named, column: SealedColumn): Place => ({
  table: 'write_step',
  workspaceId: workspace_id,
  id,
  column,
});

export const sealBody = (vault: Vault, step: Named, body: StepBody): string =>
  vault.seal(placeOf(step, 'sealed_body'), JSON.stringify(body));

export function openBody(vault: Vault, step: Named & Pick<Step, 'sealed_body'>): StepBody {
  if (step.sealed_body === null) throw new Error(`Step ${step.id} has no body any more`);
  return bodyShape.parse(JSON.parse(vault.unseal(placeOf(step, 'sealed_body'), step.sealed_body)));
}

export const sealSent = (vault: Vault, step: Named, sent: Sent): string =>
  vault.seal(placeOf(step, 'sealed_sent'), JSON.stringify(sent));

export function openSent(vault: Vault, step: Named & Pick<Step, 'sealed_sent'>): Sent | undefined {
  if (step.sealed_sent === null) return undefined;
  return sentShape.parse(JSON.parse(vault.unseal(placeOf(step, 'sealed_sent'), step.sealed_sent)));
}

/** What fields held before an update, and what it gave them. */
export interface Images {
  before: Record<string, FieldValue>;
  after: Record<string, FieldValue>;
}

export const sealImages = (vault: Vault, step: Named, { before, after }: Images) => ({
  sealed_before: vault.seal(placeOf(step, 'sealed_before'), JSON.stringify(before)),
  sealed_after: vault.seal(placeOf(step, 'sealed_after'), JSON.stringify(after)),
});

export function openImages(
  vault: Vault,
  step: Named & Pick<Step, 'sealed_before' | 'sealed_after'>,
): Images | undefined {
  const { sealed_before, sealed_after } = step;
  if (sealed_before === null || sealed_after === null) return undefined;
  const open = (column: SealedColumn, sealed: string) =>
    fields.parse(JSON.parse(vault.unseal(placeOf(step, column), sealed)));
  return {
    before: open('sealed_before', sealed_before),
    after: open('sealed_after', sealed_after),
  };
}

/** One key as `keyHashesOf` makes it. */
export const keyHashOf = (
  vault: Vault,
  step: Pick<Step, 'workspace_id' | 'object'>,
  key: IdentityKey,
): string => hashKey(vault, step.workspace_id, keyText(step.object, key));

/** The keys a merge's survivor is known by, as `keyHashesOf` makes them. */
export const survivorHashesOf = (
  vault: Vault,
  step: Pick<Step, 'workspace_id' | 'object'>,
  survivor: readonly IdentityKey[],
): string[] => [...new Set(survivor.map((key) => keyHashOf(vault, step, key)))];

/** What a step is known by: hashes of its identity, or of its cause when it has none or must be new. */
export function keyHashesOf(
  vault: Vault,
  request: Pick<WriteRequest, 'workspace_id' | 'cause_service' | 'cause_type' | 'cause_id'>,
  step: Pick<Step, 'object' | 'name' | 'operation'> & { identity: readonly IdentityKey[] },
): string[] {
  const { cause_service: service, cause_type: type, cause_id: id } = request;
  const needsCause = step.operation === 'create' || step.identity.length === 0;
  const texts = [
    ...(needsCause ? [causeKeyText(step, { service, type, id })] : []),
    ...step.identity.map((key) => keyText(step.object, key)),
  ];
  return [...new Set(texts.map((text) => hashKey(vault, request.workspace_id, text)))];
}

/** No key leaves a workspace: the same address in two of them has two hashes. */
const hashKey = (vault: Vault, workspaceId: string, text: string): string =>
  vault.keyedHash(`identity|${workspaceId}`, text);
