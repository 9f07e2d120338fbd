import type { FieldValue } from '@manifold/contracts';
import { z } from 'zod';
import type { Vault } from '../../vault/seal.ts';
import { type FieldHashes, type HashPart, hashFields } from '../hashes/rules.ts';
import type { Step } from '../store.ts';

type Fields = Readonly<Record<string, FieldValue>>;
type Named = Pick<Step, 'workspace_id' | 'id'>;

const shape = z.record(z.string(), z.array(z.string()));

/** 128 bits that say nothing of the value, and are another's for another step. */
export const hashOfSent =
  (vault: Vault, { workspace_id, id }: Named): HashPart =>
  (code, part) =>
    vault.keyedHash(`sent|${workspace_id}`, `${id}|${code}|${part}`).slice(0, 32);

/** What a call writes, to tell its webhook from another change by. */
export const hashesOfSent = (vault: Vault, step: Named, fields: Fields): string =>
  JSON.stringify(hashFields(fields, hashOfSent(vault, step)));

/** The same after its answer: values as Pipedrive keeps them, which may be spelled otherwise. */
export function hashesOfAnswer(
  vault: Vault,
  step: Named & Pick<Step, 'sent_hashes'>,
  answer: Fields,
): string | null {
  const sent = openHashes(step);
  if (sent === undefined) return null;
  const answered = Object.entries(answer).filter(([code]) => code in sent);
  return JSON.stringify({
    ...sent,
    ...hashFields(Object.fromEntries(answered), hashOfSent(vault, step)),
  });
}

/** Undefined for a call of an earlier release. */
export const openHashes = ({ sent_hashes }: Pick<Step, 'sent_hashes'>): FieldHashes | undefined =>
  sent_hashes === null ? undefined : shape.parse(JSON.parse(sent_hashes));
