import type { FieldDefinition, IdentityKey, ReasonCode, WriteStep } from '@manifold/contracts';
import { isRecordId } from '../../changes/rules.ts';
import { findMisfit } from '../../changes/values/rules.ts';
import { canIdentify, isMergeable } from '../identity/rules.ts';

/** A field, key or reference of a step that cannot be carried out. */
export interface StepProblem {
  reason: ReasonCode;
  path: string;
  message: string;
  /** What whoever asked can do about it. */
  fix: string;
}

/** A catalogue by code. */
export type KnownFields = ReadonlyMap<string, FieldDefinition>;

interface Known {
  /** Names of the steps before it. */
  earlier: readonly string[];
  /** Undefined where no catalogue was read, or where it is out of date. */
  fields: KnownFields | undefined;
  /** Values are looked at too; otherwise what is wrong with them is seen as the step is planned or sent. */
  withValues?: boolean | undefined;
}

/** Everything about one step that can be known before it is tried. */
export const checkStep = (step: WriteStep, at: Known): StepProblem[] => [
  ...(step.operation === 'merge' ? checkMerge(step) : checkNoMerge(step)),
  ...checkNames(step, at.earlier),
  ...checkKeys(step),
  ...checkWishes(step),
  ...checkFields(step, at.fields),
  ...(at.withValues === true && at.fields !== undefined ? checkValues(step, at.fields) : []),
];

const invalid = (path: string, message: string, fix: string): StepProblem => ({
  reason: 'invalid_input',
  path,
  message,
  fix,
});

const checkNoMerge = ({ survivor }: WriteStep): StepProblem[] =>
  survivor.length === 0
    ? []
    : [
        invalid(
          'survivor',
          'only a merge has a survivor',
          'Leave `survivor` out, or ask for a merge.',
        ),
      ];

function checkNames(step: WriteStep, earlier: readonly string[]): StepProblem[] {
  const problems: StepProblem[] = [];
  if (step.object === 'user') {
    const fix = 'Write a person, organization, deal, lead, product, activity or note.';
    problems.push(invalid('object', 'users cannot be written', fix));
  }
  if (earlier.includes(step.name)) {
    const fix = 'Give each step of a request a name of its own.';
    problems.push(invalid('name', `another step is called ${step.name}`, fix));
  }
  for (const [code, name] of Object.entries(step.references)) {
    if (earlier.includes(name)) continue;
    const fix = 'Name a step that comes before this one.';
    problems.push(invalid(`references.${code}`, `no earlier step is called ${name}`, fix));
  }
  return problems;
}

const needsIdentity: readonly WriteStep['operation'][] = ['delete', 'link', 'update', 'merge'];

function checkKeys(step: WriteStep): StepProblem[] {
  const problems = (['identity', 'survivor'] as const).flatMap((part) =>
    step[part].flatMap((key, index) => checkKey(step, key, `${part}.${index}`)),
  );
  if (step.identity.length > 0 || !needsIdentity.includes(step.operation)) return problems;
  const message = `${step.operation} needs to know which record is meant`;
  const fix = 'Give its id in Pipedrive, or a key it is known by.';
  return [...problems, invalid('identity', message, fix)];
}

function checkKey({ object }: WriteStep, key: IdentityKey, path: string): StepProblem[] {
  if (!canIdentify(object, key)) {
    const fix = 'Use its id in Pipedrive, or a kind of key that such records are found by.';
    return [invalid(path, `a ${object} cannot be found by ${key.kind}`, fix)];
  }
  if (key.kind !== 'pipedrive_id' || isRecordId(object, key.value)) return [];
  const shape = object === 'lead' ? 'a UUID' : 'a whole number above zero';
  const fix = 'Give the id as Pipedrive shows it in the address of the record.';
  return [invalid(`${path}.value`, `the id of a ${object} in Pipedrive is ${shape}`, fix)];
}

/** An update without a wish would look the record up and do nothing. */
function checkWishes({ operation, fields, references }: WriteStep): StepProblem[] {
  if (operation !== 'update' || Object.keys({ ...fields, ...references }).length > 0) return [];
  const fix = 'Give at least one field, or ask for a link if only the record is to be found.';
  return [invalid('fields', 'an update needs a field to change', fix)];
}

function checkFields(step: WriteStep, known: KnownFields | undefined): StepProblem[] {
  if (known === undefined) return [];
  const parts = step.operation === 'merge' ? written.slice(0, 2) : written;
  return parts.flatMap((part) =>
    Object.keys(step[part]).flatMap((code): StepProblem[] => {
      const path = `${part}.${code}`;
      const field = known.get(code);
      if (field === undefined) {
        const message = `there is no field ${code} of ${step.object} in Pipedrive`;
        const fix = 'Refresh the fields of the connection, or correct the mapping.';
        return [{ reason: 'unknown_field', path, message, fix }];
      }
      if (field.readOnly !== true) return [];
      const fix = 'Leave the field out; `pipedriveFields` shows which ones can be written.';
      return [invalid(path, `only Pipedrive sets the field ${code}`, fix)];
    }),
  );
}

const written = ['fields', 'createOnlyFields', 'references'] as const;

/** The first value Pipedrive must refuse; fields there are not were told already. */
function checkValues(step: WriteStep, known: KnownFields): StepProblem[] {
  const misfit = findMisfit(step, known);
  if (misfit === undefined || misfit.reason === 'unknown_field') return [];
  const { reason, code, cause, fix } = misfit;
  const part = code in step.fields ? 'fields' : 'createOnlyFields';
  return [{ reason, path: `${part}.${code}`, message: cause, fix }];
}

/** A merge needs a record that stays, and writes no field itself. */
function checkMerge(step: WriteStep): StepProblem[] {
  const problems: StepProblem[] = [];
  if (!isMergeable(step.object)) {
    const message = `Pipedrive cannot merge two of ${step.object}`;
    const fix = 'Merge persons, organizations or deals only.';
    problems.push(invalid('operation', message, fix));
  }
  const names = Object.keys(step.references);
  if (names.some((name) => name !== 'survivor')) {
    const message = 'a merge refers to nothing but its survivor';
    problems.push(invalid('references', message, 'Leave every other reference out.'));
  }
  if (step.survivor.length > 0 === names.length > 0) {
    const message = 'a merge needs one record that stays: by keys or by step';
    const fix = 'Give `survivor`, or a reference of that name, and not both.';
    problems.push(invalid('survivor', message, fix));
  }
  for (const part of ['fields', 'createOnlyFields', 'onlyWhere'] as const) {
    if (Object.keys(step[part]).length === 0) continue;
    const fix = 'Use a step of its own for the fields.';
    problems.push(invalid(part, 'a merge writes no fields', fix));
  }
  return problems;
}
