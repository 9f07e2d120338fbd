import { IdentityKey, PipedriveObject } from '@manifold/contracts';
import type { Wanted } from './shape.ts';
import { isRecordId } from '../rules.ts';

/** What cannot be meant in a list of wishes. */
export interface WantedProblem {
  /** Below `input.changes`. */
  path: string;
  message: string;
  fix: string;
  /** Absent: `invalid_input`. */
  reason?: string;
}

/** Everything that is wrong with wishes by themselves, whatever Pipedrive holds. */
export const checkWanted = (wanted: readonly Wanted[]): WantedProblem[] =>
  wanted.flatMap((row, index) =>
    [...checkObject(row), ...checkIdentity(row), ...checkFields(row)].map((problem) => ({
      ...problem,
      path: `${index}.${problem.path}`,
    })),
  );

const changeable = PipedriveObject.options.filter((object) => object !== 'user');

function checkObject({ object }: Wanted): WantedProblem[] {
  if (object !== 'user') return [];
  return [
    {
      path: 'object',
      message: 'users of Pipedrive cannot be changed',
      fix: `Use one of ${changeable.join(', ').toUpperCase()}.`,
    },
  ];
}

function checkIdentity({ operation, object, identity }: Wanted): WantedProblem[] {
  if (identity.length === 0 && (operation === 'UPDATE' || operation === 'DELETE')) {
    return [
      {
        path: 'identity',
        message: `${operation} needs to know which record is meant`,
        fix: 'Give its PIPEDRIVE_ID, or what it is known by.',
      },
    ];
  }
  return identity.flatMap((key, index) => {
    const problem = checkKey(object, key);
    return problem === undefined ? [] : [{ ...problem, path: `identity.${index}.${problem.path}` }];
  });
}

function checkKey(
  object: Wanted['object'],
  { kind, value, field }: Wanted['identity'][number],
): WantedProblem | undefined {
  if (kind === 'FIELD' && field === undefined) {
    return {
      path: 'field',
      message: 'the kind FIELD needs the field it means',
      fix: 'Give the code of the field, as `pipedriveFields` lists it.',
    };
  }
  if (kind === 'PIPEDRIVE_ID') {
    if (isRecordId(object, value)) return undefined;
    const shape = object === 'lead' ? 'a UUID' : 'a whole number above zero';
    return {
      path: 'value',
      message: `the id of a ${object} in Pipedrive is ${shape}`,
      fix: 'Give the id as Pipedrive shows it in the address of the record.',
    };
  }
  const key = { kind: kind.toLowerCase(), value, ...(field === undefined ? {} : { field }) };
  if (IdentityKey.safeParse(key).success) return undefined;
  return {
    path: 'value',
    message: `this is too short or too long for ${kind}`,
    fix: 'Give the whole value, and nothing but it.',
  };
}

function checkFields({ fields }: Wanted): WantedProblem[] {
  const seen = new Set<string>();
  return fields.flatMap(({ code, value }, index) => {
    const isDouble = seen.has(code);
    seen.add(code);
    return [
      ...(isDouble ? [{ ...twice, path: `fields.${index}.code` }] : []),
      ...(hasNul(value) ? [{ ...nul, path: `fields.${index}.value` }] : []),
    ];
  });
}

const twice = {
  message: 'an earlier entry of this row has the same field',
  fix: 'Give each field of a row once.',
};
const nul = {
  message: 'it holds the character NUL (U+0000), which no field can keep',
  fix: 'Take that character out.',
};

const hasNul = (value: unknown): boolean => {
  if (typeof value === 'string') return value.includes('\0');
  return typeof value === 'object' && value !== null && Object.values(value).some(hasNul);
};

/** Where a problem of a stored step stands in the wish it was made from. */
export function pathOf({ fields }: Pick<Wanted, 'fields'>, path: string): string {
  const [part, code] = path.split('.');
  const index = part === 'fields' ? fields.findIndex((field) => field.code === code) : -1;
  return index === -1 ? path : `fields.${index}.code`;
}

const MOST_NAMED = 20;

/** All of it in one sentence, as far as anybody reads. */
export function summaryOf(problems: readonly WantedProblem[]): string {
  const named = problems
    .slice(0, MOST_NAMED)
    .map(({ path, message }) => `input.changes.${path}: ${message}`);
  const more = problems.length - MOST_NAMED;
  return `These changes cannot be meant: ${named.join('; ')}${more > 0 ? ` and ${more} more` : ''}`;
}
