import { MemberId } from '@manifold/contracts';
import { boundedText, orderBy } from '@manifold/subgraph';
import { noMember } from './members/commands.ts';

export const Name = boundedText(100).trim().min(1);
export const Order = orderBy(['CREATED_AT']);

/** A text that is no member's id is answered like an id nobody has. */
export function memberIdOf(text: string): MemberId {
  const id = MemberId.safeParse(text);
  if (!id.success) throw noMember(text.slice(0, 64));
  return id.data;
}
