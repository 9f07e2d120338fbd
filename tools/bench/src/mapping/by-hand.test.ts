import { LossReason, type MappingLoss } from '@manifold/contracts';
import { compile } from '@manifold/mapping';
import { describe, expect, it } from 'vitest';
import { mapByHand } from './by-hand/map-by-hand.ts';
import { fields, mappingSource } from './mapping-source.ts';
import { createPersons } from './records.ts';

describe('the mapping that is measured', () => {
  const { map, problems } = compile(mappingSource);

  it('is of 40 fields and has no problem', () => {
    expect(problems).toEqual([]);
    expect(fields).toHaveLength(40);
  });

  it('gives the same values and the same reasons by hand, for 5,000 persons', () => {
    const reasons = new Set<MappingLoss['reason']>();
    for (const person of createPersons(5_000, 1)) {
      const mapped = map({ object: 'person', fields: person });
      expect(mapByHand(person)).toStrictEqual(mapped);
      for (const { reason } of mapped.losses) reasons.add(reason);
    }
    expect(LossReason.options.filter((reason) => reasons.has(reason))).toEqual([
      'shape_unexpected',
      'not_a_boolean',
      'permission_unclear',
      'option_unknown',
      'currency_dropped',
      'timezone_dropped',
    ]);
  });
});
