import { type FragmentDefinitionNode, Kind, parse } from 'graphql';
import { expect, test } from 'vitest';
import { listArguments } from './selections.ts';

test('what a field is going to be asked is known beforehand, however it is written', () => {
  const { definitions } = parse(`
    query ($codes: [String!]) { record {
      values(fields: ["a", "b"]) { text }
      more: values(fields: $codes) { text }
      ... on Record { inner { values { text } values(other: 1) { text } } }
      ...Rest ...Rest
    } other { values(fields: ["elsewhere"]) { text } } }
    fragment Rest on Record { last: values(fields: ["d"]) { text } }`);
  const fieldNodes = definitions.flatMap((node) =>
    node.kind === Kind.OPERATION_DEFINITION
      ? node.selectionSet.selections.filter(
          (field) => field.kind === Kind.FIELD && field.name.value === 'record',
        )
      : [],
  );
  const fragments = Object.fromEntries(
    definitions
      .filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((node) => [node.name.value, node]),
  );
  const asked = {
    fieldNodes: fieldNodes.filter((node) => node.kind === Kind.FIELD),
    fragments,
    variableValues: { codes: ['c'] },
  };

  expect(listArguments(asked, { field: 'values', argument: 'fields' })).toEqual([
    ['a', 'b'],
    ['c'],
    ['d'],
  ]);
});
