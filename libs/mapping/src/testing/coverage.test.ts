import {
  FieldType,
  KeptReason,
  LossReason,
  MappingPart,
  MappingProblemCode,
  type MappingRow,
  Permission,
  PermissionChannel,
  VariableType,
} from '@manifold/contracts';
import { CREATABLE_TYPES } from '@manifold/pipedrive';
import { describe, expect, it } from 'vitest';
import { isConvertible } from '../index.ts';
import { type Fixture, fixtures } from './fixtures.ts';

/** A row of a fixture with what came of it. */
interface Shown {
  fixture: Fixture;
  row: MappingRow;
  /** Whether its target got a value. */
  filled: boolean;
}

const shown: Shown[] = fixtures.flatMap((fixture) =>
  fixture.mapping.rows.map((row) => ({ fixture, row, filled: isFilled(fixture, row) })),
);

function isFilled({ output }: Fixture, { target: { object, field } }: MappingRow): boolean {
  const value = output.values[object]?.[field] ?? output.createOnlyValues[object]?.[field];
  return value !== undefined && value !== null;
}

const hasProblem = ({ fixture, row }: Shown): boolean =>
  fixture.output.problems.some(({ rowId }) => rowId === row.id);

const typeOfField = ({ mapping }: Fixture, end: { object: string; field: string }) =>
  mapping.catalogue.find(({ object, code }) => object === end.object && code === end.field)?.type;

/** What no fixture shows. */
const lacking = <Thing>(all: readonly Thing[], seen: readonly unknown[]): Thing[] =>
  all.filter((thing) => !seen.includes(thing));

const from = shown.filter(({ fixture }) => fixture.mapping.direction === 'from_pipedrive');
const to = shown.filter(({ fixture }) => fixture.mapping.direction === 'to_pipedrive');

describe('there is an example', () => {
  it('of everything, at least 150 in all', () => {
    expect(fixtures.length).toBeGreaterThanOrEqual(150);
  });

  it('for every type of field, read and written', () => {
    const explained = (one: Shown): boolean => one.filled || hasProblem(one);
    const read = from.flatMap((one) =>
      explained(one) && 'field' in one.row.source ? typeOfField(one.fixture, one.row.source) : [],
    );
    const written = to.flatMap((one) =>
      explained(one) ? typeOfField(one.fixture, one.row.target) : [],
    );
    expect(lacking(FieldType.options, read)).toEqual([]);
    expect(lacking(FieldType.options, written)).toEqual([]);
  });

  it.each(['rest_v2', 'rest_v1', 'webhook'])('for every custom field as %s gives it', (form) => {
    const read = from.flatMap(({ fixture, row, filled }) =>
      filled && 'form' in fixture.input && fixture.input.form === form && 'field' in row.source
        ? typeOfField(fixture, row.source)
        : [],
    );
    expect(lacking([...CREATABLE_TYPES, 'visible_to'], read)).toEqual([]);
  });

  it('for every custom field in the bodies of v2 and v1', () => {
    const written = (object: string) =>
      to.flatMap(({ fixture, row }) =>
        row.target.object === object && fixture.writes?.some((one) => one.object === object)
          ? typeOfField(fixture, row.target)
          : [],
      );
    expect(lacking(CREATABLE_TYPES, written('person'))).toEqual([]);
    expect(lacking(CREATABLE_TYPES, written('lead'))).toEqual([]);
  });

  it('for every type of variable, in both directions', () => {
    const filled = (rows: readonly Shown[], end: 'source' | 'target') =>
      rows.flatMap((one) => {
        const { [end]: at } = one.row;
        return one.filled && 'type' in at ? [at.type] : [];
      });
    expect(lacking(VariableType.options, filled(from, 'target'))).toEqual([]);
    expect(lacking(VariableType.options, filled(to, 'source'))).toEqual([]);
  });

  it('for every conversion of one type into another', () => {
    const pairs = VariableType.options.flatMap((source) =>
      VariableType.options.flatMap((target) =>
        isConvertible(source, target) ? `${source} → ${target}` : [],
      ),
    );
    const seen = from.flatMap(({ row: { source, target }, filled }) =>
      filled && 'type' in source && 'type' in target ? `${source.type} → ${target.type}` : [],
    );
    expect(pairs.length).toBeGreaterThan(50);
    expect(lacking(pairs, seen)).toEqual([]);
  });

  it('for every part, split off and joined', () => {
    const split = from.flatMap(({ row: { source } }) => ('part' in source ? source.part : []));
    const joined = shown.flatMap(({ row: { target }, filled }) =>
      filled && 'part' in target ? target.part : [],
    );
    expect(lacking(MappingPart.options, split)).toEqual([]);
    // the whole list is no part of itself, and Pipedrive formats the address
    expect(lacking(MappingPart.options, joined)).toEqual(['list', 'formatted_address']);
  });

  it('for every loss', () => {
    const seen = fixtures.flatMap(({ output }) => output.losses.map(({ reason }) => reason));
    expect(lacking(LossReason.options, seen)).toEqual([]);
  });

  it('for every problem', () => {
    const seen = fixtures.flatMap(({ output }) => output.problems.map(({ code }) => code));
    expect(lacking(MappingProblemCode.options, seen)).toEqual([]);
  });

  it('for every reason to keep a value', () => {
    const seen = fixtures.flatMap(({ merges = [], permissions = [] }) =>
      [...merges, ...permissions].flatMap(({ result }) => result.kept.map(({ reason }) => reason)),
    );
    expect(lacking(KeptReason.options, seen)).toEqual([]);
  });

  it('for every merge policy, for new records and old ones', () => {
    const bools = [true, false];
    const policies = ['append', 'overwrite', 'ignore'].flatMap((existing) =>
      bools.flatMap((createMissing) =>
        bools.flatMap((ignoreEmpty) =>
          bools.flatMap((protectFilled) =>
            bools.map((shield) =>
              [existing, createMissing, ignoreEmpty, protectFilled, shield].join(),
            ),
          ),
        ),
      ),
    );
    const seen = (isNew: boolean) =>
      fixtures.flatMap(({ mapping: { policy }, merges = [] }) =>
        merges.some(({ existing }) => (existing === null) === isNew)
          ? [
              policy.existing,
              policy.createMissing,
              policy.ignoreEmpty,
              policy.protectFilled,
              policy.protected.length > 0,
            ].join()
          : [],
      );
    expect(lacking(policies, seen(true))).toEqual([]);
    expect(lacking(policies, seen(false))).toEqual([]);
  });

  it('for every permission on a channel', () => {
    const channels = shown.flatMap(({ row: { target } }) =>
      target.object === 'permission' ? target.field : [],
    );
    const said = fixtures.flatMap(({ output }) => Object.values(output.values.permission ?? {}));
    expect(lacking(PermissionChannel.options, channels)).toEqual([]);
    expect(lacking(Permission.options, said)).toEqual([]);
  });
});
