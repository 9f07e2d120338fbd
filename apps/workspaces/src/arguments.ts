import { MemberId } from '@manifold/contracts';
import { z } from 'zod';
import { noMember } from './members/commands.ts';

/** GraphQL says nothing in two ways, absent and null; inside there is one. */
export const optional = <Shape extends z.ZodType>(shape: Shape) =>
  shape.nullish().transform((value) => value ?? undefined);

export const Name = z.string().trim().min(1).max(100);
export const IdempotencyKey = optional(z.string().min(1).max(128));
export const Order = optional(z.object({ direction: z.enum(['ASC', 'DESC']) }));

/** A text that is no member's id is answered like an id nobody has. */
export function memberIdOf(text: string): MemberId {
  const id = MemberId.safeParse(text);
  if (!id.success) throw noMember(text.slice(0, 64));
  return id.data;
}

/** A reference that is no id resolves to nothing, like one that nobody has. */
export function loadById<Shape extends z.ZodType, Row>(
  shape: Shape,
  id: string,
  load: (id: z.output<Shape>) => Promise<Row>,
): Promise<Row> | null {
  const known = shape.safeParse(id);
  return known.success ? load(known.data) : null;
}
