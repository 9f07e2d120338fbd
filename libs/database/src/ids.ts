import { idFromUuid, type IdPrefix } from '@manifold/contracts';
import { v7 } from 'uuid';
import type { z } from 'zod';

/** Makes a new id of one kind, e.g. `newId('ct', ContactId)`. Ids made later sort later. */
export function newId<Id extends z.ZodType<string>>(prefix: IdPrefix, id: Id): z.infer<Id> {
  return id.parse(idFromUuid(prefix, v7()));
}
