import { describe, expect, it } from 'vitest';
import { normaliseRecord, normaliseWebhook, toRequestBody } from '@manifold/pipedrive';
import {
  checkRequiredTargets,
  compile,
  decidePermissions,
  existingRuleOf,
  fieldsToWrite,
  type MappedRecord,
  type MappingInput,
  merge,
} from '../index.ts';
import { type Fixture, fixtures } from './fixtures.ts';

describe('mappings, by example', () => {
  it.each(fixtures)('$rule ($file)', (fixture) => {
    const run = runFixture(fixture);
    expect({ ...run.mapped, problems: run.problems }).toEqual(fixture.output);
    expect(mergesOf(fixture, run)).toEqual(fixture.merges ?? []);
    expect(permissionsOf(fixture, run)).toEqual(fixture.permissions ?? []);
    expect(writesOf(fixture, run)).toEqual(fixture.writes ?? []);
  });
});

interface Run {
  problems: { rowId: string | null; code: string }[];
  mapped: MappedRecord;
}

function runFixture({ mapping, input, calculated = {}, required = [] }: Fixture): Run {
  const compiled = compile(mapping);
  const problems = [...compiled.problems, ...checkRequiredTargets(mapping.rows, required)];
  return {
    problems: problems.map(({ rowId, code }) => ({ rowId, code })),
    mapped: compiled.map(recordOf(input, mapping), { calculated }),
  };
}

/** The one form the engine reads, which libs/pipedrive makes of all others. */
function recordOf(input: Fixture['input'], { catalogue }: Fixture['mapping']): MappingInput {
  if ('fields' in input) return input;
  const { object, form, received } = input;
  if (form !== 'webhook') {
    return { object, fields: normaliseRecord(object, received, catalogue).fields };
  }
  const reading = normaliseWebhook(received, catalogue);
  if (reading.outcome !== 'understood') throw new Error(`The webhook is ${reading.outcome}.`);
  return { object, fields: reading.event.record.fields };
}

const mergesOf = ({ merges = [], mapping: { policy } }: Fixture, { mapped }: Run) =>
  merges.map(({ object, existing }) => ({
    object,
    existing,
    result: merge({
      object,
      existing: existing ?? undefined,
      incoming: mapped.values[object] ?? {},
      createOnly: mapped.createOnlyValues[object] ?? {},
      policy,
    }),
  }));

const permissionsOf = ({ permissions = [], mapping }: Fixture, { mapped }: Run) =>
  permissions.map((asked) => ({
    ...asked,
    result: decidePermissions({
      existing: asked.existing ?? undefined,
      mapped: mapped.values.permission,
      marketingStatus: asked.marketingStatus,
      defaults: asked.defaults ?? {},
      policy: mapping.policy,
    }),
  }));

const writesOf = ({ writes = [], mapping: { policy } }: Fixture, { mapped }: Run) =>
  writes.map(({ object, body }) => {
    const fields = fieldsToWrite({ object, fields: mapped.values[object] ?? {}, policy });
    const write = { object, existing: existingRuleOf(policy), fields };
    return body === undefined ? write : { ...write, body: toRequestBody(object, fields) };
  });
