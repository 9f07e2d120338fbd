import { FieldValue } from '@manifold/contracts';
import { z } from 'zod';
import type { Place, Vault } from '../../vault/seal.ts';
import type { Fields } from '../rules.ts';
import type { Change } from '../rows/store.ts';

const fields = z.record(z.string(), FieldValue);
type Named = Pick<Change, 'workspace_id' | 'id'>;
type Column = 'sealed_before' | 'sealed_after';

const placeOf = ({ workspace_id, id }: Named, column: Column): Place => ({
  table: 'change',
  workspaceId: workspace_id,
  id,
  column,
});

/** The columns that hold what a change writes. */
export const imagesOf = (
  vault: Vault,
  change: Named,
  { before, after }: { before: Fields; after: Fields },
) => ({
  sealed_before: vault.seal(placeOf(change, 'sealed_before'), JSON.stringify(before)),
  sealed_after: vault.seal(placeOf(change, 'sealed_after'), JSON.stringify(after)),
});

/** The values a change starts from or leads to; undefined when they are no longer kept. */
export function openImage(
  vault: Vault,
  change: Named & Pick<Change, Column>,
  column: Column,
): Fields | undefined {
  const sealed = change[column];
  if (sealed === null) return undefined;
  return fields.parse(JSON.parse(vault.unseal(placeOf(change, column), sealed)));
}
