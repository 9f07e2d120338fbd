import type { z } from 'zod';

/** `request.<answering service>.<verb_noun>.v<version>`: outside every stream, so never kept by the broker. */
type RequestName = `request.${string}.${string}.v${number}`;

/** A question with one answer, over core NATS request and reply. */
export interface RequestDefinition<Question extends z.ZodType, Answer extends z.ZodType> {
  readonly subject: string;
  readonly question: Question;
  readonly answer: Answer;
}

/** Declares a request; both sides parse with the same shapes. */
export function defineRequest<Question extends z.ZodType, Answer extends z.ZodType>(
  subject: RequestName,
  question: Question,
  answer: Answer,
): RequestDefinition<Question, Answer> {
  return { subject, question, answer };
}

/** A question answered by many items in several replies, closed by an end mark. */
export interface PageRequestDefinition<
  Question extends z.ZodType,
  Item extends z.ZodType,
  End extends z.ZodType,
> {
  readonly subject: string;
  readonly question: Question;
  readonly item: Item;
  readonly end: End;
}

/** Declares a page request: `item` is one element, `end` what closes the page (cursor, totals). */
export function definePageRequest<
  Question extends z.ZodType,
  Item extends z.ZodType,
  End extends z.ZodType,
>(
  subject: RequestName,
  shapes: { question: Question; item: Item; end: End },
): PageRequestDefinition<Question, Item, End> {
  return { subject, ...shapes };
}
