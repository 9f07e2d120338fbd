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
});
/** The exact body of a call, and the same values in our own form for comparing. */
const sentShape = z.object({ fields, body: z.record(z.string(), z.unknown()) });
export type Sent = z.infer<typeof sentShape>;

type Named = Pick<Step, 'workspace_id' | 'id'>;

const placeOf = ({ workspace_id, id }: Named, column: 'sealed_body' | 'sealed_sent'): Place => ({
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
