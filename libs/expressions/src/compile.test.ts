import { expect, test } from 'vitest';
import { evaluate } from '../test/evaluate.ts';
import { compileExpression } from './compile.ts';
import { schemaOf, type Variables } from './schema.ts';

const technology = { fields: { name: 'text', monthly_cost: 'number' } } as const;
const variables: Variables = {
  _domain: {
    fields: {
      name: 'text',
      rank: 'integer',
      average_price: 'number',
      created_at: 'datetime',
      technologies: { list: technology },
      features: { list: 'text' },
      scores: { map: 'number' },
      raw: 'any',
    },
  },
  rank: 'integer',
  emails: schemaOf('email_list'),
};
const technologies = [
  { name: 'Shopify', monthly_cost: 29 },
  { name: 'Klaviyo', monthly_cost: null },
];
const record = {
  _domain: { name: 'Merchant', rank: 1200, average_price: 10, technologies, scores: { seo: 7 } },
  rank: 1200,
};

const valueOf = (source: string, of: object = record): unknown => {
  const outcome = evaluate(source, { ...of }, { variables });
  return outcome.outcome === 'value' ? outcome.value : outcome.code;
};

const problemOf = (source: string, resultType?: 'text' | 'number' | 'date') => {
  const compiled = compileExpression(source, { variables, resultType });
  return compiled.outcome === 'refused' ? compiled.problems[0] : undefined;
};

test('SL-45 technologies are counted, and none are 0', () => {
  const source = 'has(_domain.technologies) ? _domain.technologies.size() : 0';
  expect(compileExpression(source, { variables, resultType: 'number' })).toMatchObject({
    outcome: 'compiled',
    type: 'int',
  });
  expect(valueOf(source)).toBe(2);
  expect(valueOf(source, { _domain: { technologies: null } })).toBe(0);
  expect(valueOf(source, { _domain: {} })).toBe(0);
});

test('SL-46 mapped attributes and all of _domain can be used', () => {
  expect(valueOf('rank < 2000 && _domain.rank == rank')).toBe(true);
  expect(valueOf('_domain.technologies.map(t, t.name).join(", ")')).toBe('Shopify, Klaviyo');
  expect(valueOf('_domain.scores.seo * 2')).toBe(14);
  expect(valueOf('_domain.raw.anything', { _domain: { raw: { anything: 'x' } } })).toBe('x');
});

test.each(['organization.name', 'deal.value', 'person', 'pipedrive.label', 'now()'])(
  'SL-47 %s is refused when saved',
  (source) => {
    const found = problemOf(source);
    expect(found?.code).toBe(source === 'now()' ? 'unknown_function' : 'unknown_name');
  },
);

test('SL-47 the refusal says where, why, and what there is', () => {
  expect(problemOf('1 + organization.name')).toEqual({
    code: 'unknown_name',
    message:
      'There is nothing called "organization" here. An expression sees only what was collected: _domain, rank, emails. Data of Pipedrive cannot be used.',
    start: 4,
    end: 16,
  });
});

test.each([
  ['', 'empty', 0, 0],
  ['_domain.technologies.filter(t, t.monthly_cost > )', 'syntax', 48, 49],
  ['"abc', 'syntax', 0, 4],
  ['_domain.nope', 'unknown_field', 8, 12],
  ['has(_domain.nope)', 'unknown_field', 12, 16],
  ['_domain.?nope.orValue(1)', 'unknown_field', 0, 13],
  ['_domain.technologies.map(t, t.nme)', 'unknown_field', 30, 33],
  ['_domain.technologies[0].nme', 'unknown_field', 24, 27],
  ['lenght(_domain.name)', 'unknown_function', 0, 20],
  ['_domain.name.sizes()', 'unknown_function', 0, 20],
  ['_domain.rank + "a"', 'wrong_type', 0, 18],
  ['_domain.name == null', 'wrong_type', 0, 20],
  ['_domain.rank.startsWith("1")', 'wrong_type', 0, 28],
  ['_domain.rank ? 1 : 2', 'wrong_type', 8, 12],
  ['true ? 1 : "a"', 'wrong_type', 0, 14],
  ['_domain.rank.x', 'wrong_type', 13, 14],
  ['_domain.rank.all(x, x > 0)', 'wrong_type', 8, 12],
  ['"a".matches("(")', 'bad_pattern', 12, 15],
])('SL-48 %j is refused as %s, with its place', (source, code, start, end) => {
  const found = problemOf(source);
  expect(found).toMatchObject({ code, start, end });
  expect(found?.message).toMatch(/^.+\. .+\.$/);
});

test('SL-48 a function used wrongly is shown as it is', () => {
  expect(problemOf('_domain.rank.startsWith("1")')?.message).toContain(
    'does not take int, string. It is: string.startsWith(string) → bool.',
  );
});

test.each([
  ['_domain.rank', 'number', undefined],
  ['_domain.rank', 'text', undefined],
  [
    '_domain.name',
    'number',
    'The result is string, the field takes int or uint or double. Convert it, or choose another field.',
  ],
  [
    '_domain.technologies',
    'text',
    'The result is list<record>, the field takes string or int or uint or double or bool or timestamp or duration. Convert it, or choose another field.',
  ],
  ['_domain.created_at', 'date', undefined],
  ['_domain.raw', 'number', undefined],
] as const)('SL-48 %s into a field of type %s', (source, resultType, message) => {
  expect(problemOf(source, resultType)?.message).toBe(message);
});

test('SL-48 what is only known with a record is checked with each', () => {
  const number = (raw: unknown) =>
    evaluate('_domain.raw', { _domain: { raw } }, { variables, resultType: 'number' });
  expect(number(5)).toEqual({ outcome: 'value', value: 5 });
  expect(number('5')).toMatchObject({ outcome: 'error', code: 'wrong_result' });
});

test('SL-48 a missing value is said so, with its place, and can be given a default', () => {
  expect(evaluate('_domain.name.size() + 1', { _domain: {} }, { variables })).toEqual({
    outcome: 'error',
    code: 'missing_value',
    message:
      'A value the expression reads is not there. Ask with has(…) first, or give another with default(…, …).',
    start: 8,
    end: 12,
  });
  expect(valueOf('default(_domain.name, "none")', { _domain: {} })).toBe('none');
  expect(valueOf('default(_domain.technologies[9].name, "none")')).toBe('none');
  expect(valueOf('has(rank) ? rank : 0', {})).toBe(0);
  expect(valueOf('default(1 / 0, 5)')).toBe('division_by_zero');
});

test('SL-66 the same expressions work on what is known of people', () => {
  const emails = [
    { value: 'a@x.test', label: 'work', primary: false },
    { value: 'b@x.test', label: 'home', primary: true },
  ];
  expect(valueOf('emails.filter(e, e.primary)[0].value', { emails })).toBe('b@x.test');
});

test('a variable with a name of the language is left out, the others work', () => {
  const odd: Variables = { type: 'text', 'two words': 'text', rank: 'integer' };
  expect(evaluate('rank', { rank: 1, type: 'x' }, { variables: odd })).toMatchObject({ value: 1 });
});
