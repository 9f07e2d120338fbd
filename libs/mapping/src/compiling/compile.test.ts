import type { MappingRow, MappingSource } from '@manifold/contracts';
import { describe, expect, it } from 'vitest';
import { compile } from '../index.ts';

describe('a compiled mapping', () => {
  it('names the expressions of rows that can be used, for whoever evaluates them (SL-43)', () => {
    const { expressions, problems } = compile(
      toPipedrive([
        calculated('count', '_domain.technologies.size()', 'double'),
        calculated('broken', 'true', 'nowhere'),
        { ...rowOf('name', 'name'), target: { object: 'organization', field: 'name' } },
      ]),
    );
    expect(problems.map(({ rowId }) => rowId)).toEqual(['broken']);
    expect(expressions).toEqual([
      { rowId: 'count', expression: '_domain.technologies.size()', type: 'number' },
    ]);
  });

  it('takes the result of an expression for its own row only, whatever that row is called', () => {
    const row = { ...calculated('constructor', '1', 'double') };
    const { map } = compile(toPipedrive([row]));
    expect(map({ object: 'referral', fields: {} }).losses).toEqual([
      { rowId: 'constructor', reason: 'calculation_failed', withheld: true },
    ]);
  });

  it('names the keys of a record no row reads (RS-25, WX-34)', () => {
    const { unmappedKeys } = compile(
      toPipedrive([
        { ...rowOf('name', 'name'), target: { object: 'organization', field: 'name' } },
        { ...rowOf('gone', 'role'), target: { object: 'organization', field: 'gone' } },
      ]),
    );
    expect(
      unmappedKeys({ object: 'referral', fields: { name: 'Initech', role: 'CEO', Name: 'x' } }),
    ).toEqual(['role', 'Name']);
  });

  it('says of every problem what is wrong and what to do', () => {
    const { problems } = compile(toPipedrive([calculated('c', 'true', 'nowhere')]));
    expect(problems).toEqual([
      {
        rowId: 'c',
        code: 'unknown_field',
        target: 'organization.nowhere',
        cause: 'Pipedrive has no field nowhere on organization.',
        fix: 'Refresh the fields; if it is gone, choose another one.',
      },
    ]);
  });
});

const toPipedrive = (rows: MappingRow[]): MappingSource => ({
  direction: 'to_pipedrive',
  rows,
  policy: {
    existing: 'overwrite',
    createMissing: true,
    ignoreEmpty: true,
    protected: [],
    protectFilled: false,
  },
  catalogue: [
    { object: 'organization', code: 'name', name: 'Name', type: 'varchar', custom: false },
    { object: 'organization', code: 'double', name: 'Number', type: 'double', custom: false },
  ],
});

const rowOf = (id: string, field: string) => ({
  id,
  source: { object: 'referral' as const, field, type: 'text' as const },
});

const calculated = (id: string, expression: string, field: string): MappingRow => ({
  id,
  source: { object: 'calculated', expression, type: 'number' },
  target: { object: 'organization', field },
});
