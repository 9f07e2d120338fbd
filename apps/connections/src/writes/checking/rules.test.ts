import type { FieldDefinition, FieldType, WriteStep } from '@manifold/contracts';
import { describe, expect, test } from 'vitest';
import { commandOf, personStep } from '../../../test/write-commands.ts';
import { checkStep } from './rules.ts';

const of = { workspaceId: `ws_${'1'.repeat(32)}`, connectionId: `cn_${'1'.repeat(32)}` };
const stepOf = (change: Partial<WriteStep>): WriteStep => {
  const [step] = commandOf(of, { steps: [personStep('a@x.test')] }).steps;
  if (!step) throw new Error('no step');
  return { ...step, ...change };
};

const fieldOf = (code: string, type: FieldType): FieldDefinition => ({
  ...{ object: 'person', code, name: code, type, custom: false },
});

describe('a step is refused', () => {
  const fields = new Map([
    ['name', fieldOf('name', 'varchar')],
    ['emails', fieldOf('emails', 'emails')],
    ['owner_id', fieldOf('owner_id', 'user')],
    ['add_time', { ...fieldOf('add_time', 'datetime'), readOnly: true }],
  ]);
  test.each<[string, Partial<WriteStep>, string, string]>([
    [
      'that merges what Pipedrive cannot',
      { operation: 'merge', object: 'note' },
      'invalid_input',
      'operation',
    ],
    ['about a user', { object: 'user' }, 'invalid_input', 'object'],
    ['whose name is taken', { name: 'earlier' }, 'invalid_input', 'name'],
    [
      'that deletes it knows not what',
      { operation: 'delete', identity: [] },
      'invalid_input',
      'identity',
    ],
    [
      'that looks for a person by name',
      { identity: [{ kind: 'name', value: 'Ada' }] },
      'invalid_input',
      'identity.0',
    ],
    [
      'whose record id is none',
      { identity: [{ kind: 'pipedrive_id', value: '../7' }] },
      'invalid_input',
      'identity.0.value',
    ],
    [
      'whose record id is that of a lead, and no lead',
      { identity: [{ kind: 'pipedrive_id', value: '0a1b2c3d-0000-4000-8000-000000000000' }] },
      'invalid_input',
      'identity.0.value',
    ],
    ['that changes nothing', { operation: 'update', fields: {} }, 'invalid_input', 'fields'],
    [
      'that refers to no earlier step',
      { references: { name: 'later' } },
      'invalid_input',
      'references.name',
    ],
    ['with an unknown field', { fields: { nope: 1 } }, 'unknown_field', 'fields.nope'],
    [
      'with an unknown default',
      { createOnlyFields: { nope: 1 } },
      'unknown_field',
      'createOnlyFields.nope',
    ],
    [
      'that sets what only Pipedrive sets',
      { fields: { add_time: 'x' } },
      'invalid_input',
      'fields.add_time',
    ],
  ])('%s', (_, change, reason, path) => {
    const problems = checkStep(stepOf(change), { earlier: ['earlier'], fields });
    expect(problems).toContainEqual(
      expect.objectContaining({ reason, path, fix: expect.stringMatching(/^[A-Z].+\.$/) }),
    );
  });

  test('never for a field, while no catalogue was read', () => {
    expect(checkStep(stepOf({ fields: { nope: 1 } }), { earlier: [], fields: undefined })).toEqual(
      [],
    );
  });

  test('with a value Pipedrive must refuse only when somebody waits who can be told', () => {
    const step = stepOf({ fields: { name: 'Ada' }, createOnlyFields: { owner_id: 'Grace' } });
    expect(checkStep(step, { earlier: [], fields })).toEqual([]);
    const problems = checkStep(step, { earlier: [], fields, withValues: true });
    expect(problems).toEqual([
      {
        reason: 'field_type_mismatch',
        path: 'createOnlyFields.owner_id',
        message: expect.stringContaining('The field owner_id takes'),
        fix: expect.stringMatching(/^[A-Z].+\.$/),
      },
    ]);
    expect(JSON.stringify(problems)).not.toContain('Grace');
  });
});
