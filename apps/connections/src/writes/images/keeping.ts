import { findWritePolicy } from '../../changes/policy/store.ts';
import type { Db } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { type Images, sealImages } from '../body.ts';
import type { Step } from '../store.ts';
import { imagesUntil } from './rules.ts';

/** The values before and after an update, sealed, where the workspace keeps them. */
export async function imagesOf(
  vault: Vault,
  tx: Db,
  { step, images, now }: { step: Step; images: Images | undefined; now: Date },
) {
  const policy = images === undefined ? undefined : await findWritePolicy(tx);
  const until = imagesUntil(policy?.image_days, now);
  return images === undefined || until === undefined
    ? { sealed_before: null, sealed_after: null, images_until: null }
    : { ...sealImages(vault, step, images), images_until: until };
}
