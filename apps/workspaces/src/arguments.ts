import { MemberId } from '@manifold/contracts';
import { orderBy } from '@manifold/subgraph';
import { z } from 'zod';
import { noMember } from './members/commands.ts';

export const Name = z.string().trim().min(1).max(100);
export const Order = orderBy(['CREATED_AT']);

/** A text that is no member's id is answered like an id nobody has. */
export function memberIdOf(text: string): MemberId {
  const id = MemberId.safeParse(text);
  if (!id.success) throw noMember(text.slice(0, 64));
  return id.data;
}
