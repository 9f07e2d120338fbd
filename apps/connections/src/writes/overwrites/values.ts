import { FieldValue } from '@manifold/contracts';
import { z } from 'zod';
import type { Vault } from '../../vault/seal.ts';
import type { Lost } from './rules.ts';
import type { Overwrite } from './store.ts';

const fields = z.record(z.string(), FieldValue);
const lostShape = z.object({ theirs: fields, ours: fields });

type Named = Pick<Overwrite, 'workspace_id' | 'id'>;

const placeOf = ({ workspace_id: workspaceId, id }: Named) => ({
  table: 'overwrite',
  workspaceId,
  id,
  column: 'sealed_values',
});

export const sealLost = (vault: Vault, overwrite: Named, lost: Lost): string =>
  vault.seal(placeOf(overwrite), JSON.stringify(lost));

/** Undefined once the values are not kept any more. */
export const openLost = (
  vault: Vault,
  overwrite: Named & Pick<Overwrite, 'sealed_values'>,
): Lost | undefined =>
  overwrite.sealed_values === null
    ? undefined
    : lostShape.parse(JSON.parse(vault.unseal(placeOf(overwrite), overwrite.sealed_values)));
