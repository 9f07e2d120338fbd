import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** What is wrong with a part of the input, and how to mend it; never repeats a value. */
export interface IssueWords {
  message: string;
  fix: string;
}

/** An issue of the schema library in plain words; a message of our own stays as it is. */
export function wordsOf(issue: Issue): IssueWords {
  switch (issue.code) {
    case 'too_small':
      return tooSmall(issue);
    case 'too_big':
      return tooBig(issue);
    case 'invalid_type':
      return wrongType(issue);
    case 'invalid_value':
      return noneOf(issue.values.map(String));
    case 'invalid_format':
      return wrongFormat(issue);
    case 'unrecognized_keys':
      return {
        message: `has names that are not known here: ${listed(issue.keys)}`,
        fix: 'Leave them out, or correct their spelling.',
      };
    case 'not_multiple_of':
      return {
        message: `is not a multiple of ${issue.divisor}`,
        fix: `Use a multiple of ${issue.divisor}.`,
      };
    case 'invalid_union':
      return wrongKind(issue);
    case 'invalid_key':
      return { message: 'has a name that is not allowed', fix: 'Use another name.' };
    case 'invalid_element':
      return { message: 'holds a value that is not allowed', fix: 'Use another value.' };
    case 'custom':
      return {
        message: ownWords(issue) ?? 'is not allowed',
        fix: 'Use a value the description of this field allows.',
      };
  }
}

/** Words for a value that is not among those allowed. */
export const noneOf = (values: readonly string[]): IssueWords => ({
  message: 'is none of the values allowed here',
  fix: `Use ${values.length === 1 ? '' : 'one of '}${listed(values)}.`,
});

/** Words for names a part does not have, and those it has. */
export const unknownNames = (names: readonly string[], known: readonly string[]): IssueWords => ({
  message: `has names that are not known here: ${listed(names)}`,
  fix: `Leave them out, or use any of ${listed(known)}.`,
});

const MOST_LISTED = 20;
const LONGEST = 64;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_LISTED).map((name) => name.slice(0, LONGEST));
  return shown.join(', ') + (names.length > MOST_LISTED ? ' …' : '');
}

/** Undefined when the message is the library's own. */
const ownWords = ({ message }: Issue): string | undefined =>
  message.startsWith('Invalid') ? undefined : message;

const many = (count: number | bigint, one: string): string =>
  `${count} ${one}${Number(count) === 1 ? '' : 's'}`;

/** What a limit counts: characters, items or the number itself. */
function amount(origin: string, limit: number | bigint): string {
  if (origin === 'string') return many(limit, 'character');
  if (origin === 'array' || origin === 'set') return many(limit, 'item');
  return String(limit);
}

function tooSmall(issue: Extract<Issue, { code: 'too_small' }>): IssueWords {
  const { origin, minimum, exact, inclusive = true } = issue;
  const counts = origin === 'string' || origin === 'array' || origin === 'set';
  if (counts && Number(minimum) === 1 && !exact) {
    return { message: 'is empty', fix: `Give at least ${amount(origin, 1)}.` };
  }
  const bound = exact ? 'exactly' : inclusive ? 'at least' : 'more than';
  return {
    message: counts ? 'is too short' : 'is too small',
    fix: `Give ${bound} ${amount(origin, minimum)}.`,
  };
}

function tooBig(issue: Extract<Issue, { code: 'too_big' }>): IssueWords {
  const { origin, maximum, exact, inclusive = true } = issue;
  const counts = origin === 'string' || origin === 'array' || origin === 'set';
  const bound = exact ? 'exactly' : inclusive ? 'at most' : 'less than';
  return {
    message: counts ? 'is too long' : 'is too large',
    fix: `Give ${bound} ${amount(origin, maximum)}.`,
  };
}

/** By the names zod and GraphQL have for them. */
const KINDS: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  date: 'a time such as 2026-03-01T12:00:00Z',
  DateTime: 'a time such as 2026-03-01T12:00:00Z',
  DateTimeISO: 'a time such as 2026-03-01T12:00:00Z',
  String: 'a text',
  ID: 'a text',
  Int: 'a whole number',
  Float: 'a number',
  Boolean: 'true or false',
};

const kindOf = (name: string): string => KINDS[name] ?? 'a value of the kind its description names';

/** Words for what was left out. */
export const isRequired = (kind: string): IssueWords => ({
  message: 'is required',
  fix: `Give ${kindOf(kind)}.`,
});

/** Words for a value of another kind. */
export const notKind = (kind: string): IssueWords => ({
  message: `is not ${kindOf(kind)}`,
  fix: `Give ${kindOf(kind)}.`,
});

const wrongType = ({ expected, message }: Extract<Issue, { code: 'invalid_type' }>): IssueWords =>
  message.endsWith('received undefined') ? isRequired(expected) : notKind(expected);

const FORMATS: Record<string, { name: string; example: string }> = {
  email: { name: 'an e-mail address', example: 'ada@example.com' },
  url: { name: 'a web address', example: 'https://example.com' },
  datetime: { name: 'a time in UTC', example: '2026-03-01T12:00:00Z' },
  date: { name: 'a date', example: '2026-03-01' },
  uuid: { name: 'a UUID', example: '7a0b0c62-4f63-4b0e-9d2a-0b1f6f3c9a11' },
};

function wrongFormat(issue: Extract<Issue, { code: 'invalid_format' }>): IssueWords {
  const format = FORMATS[issue.format];
  const fix =
    format === undefined
      ? 'Use the form the description of this field shows.'
      : `Use ${format.name}, such as ${format.example}.`;
  const named = format === undefined ? 'does not have the right form' : `is not ${format.name}`;
  return { message: ownWords(issue) ?? named, fix };
}

function wrongKind(issue: Extract<Issue, { code: 'invalid_union' }>): IssueWords {
  const options = 'options' in issue ? (issue.options ?? []) : [];
  const fix =
    options.length === 0
      ? 'Give a value of a kind the description of this field names.'
      : `Use one of ${listed(options.map(String))}.`;
  return { message: 'is of a kind that is not allowed here', fix };
}
