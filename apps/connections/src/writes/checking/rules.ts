import type { ReasonCode, WriteStep } from '@manifold/contracts';
import { canIdentify, isMergeable } from '../identity/rules.ts';

/** A field, key or reference of a step that cannot be carried out. */
export interface StepProblem {
  reason: ReasonCode;
  path: string;
  message: string;
}

/** A catalogue by code. */
export type KnownFields = ReadonlyMap<string, { readOnly?: boolean | undefined }>;

/** Everything about one step that can be known before it is tried. `codes` is undefined where no catalogue was read. */
export function checkStep(
  step: WriteStep,
  at: {
    earlier: readonly string[];
    fields: KnownFields | undefined;
  },
): StepProblem[] {
  const problems: StepProblem[] = [];
  const refuse = (reason: ReasonCode, path: string, message: string) =>
    problems.push({ reason, path, message });
  if (step.operation === 'merge') checkMerge(step, refuse);
  else if (step.survivor.length > 0) {
    refuse('invalid_input', 'survivor', 'only a merge has a survivor');
  }
  if (step.object === 'user') refuse('invalid_input', 'object', 'users cannot be written');
  if (at.earlier.includes(step.name)) {
    refuse('invalid_input', 'name', `another step is called ${step.name}`);
  }
  if (step.identity.length === 0 && needsIdentity.includes(step.operation)) {
    refuse('invalid_input', 'identity', `${step.operation} needs to know which record is meant`);
  }
  for (const part of ['identity', 'survivor'] as const) {
    step[part].forEach((key, index) => {
      if (key.kind === 'pipedrive_id' && !/^[A-Za-z0-9-]{1,64}$/.test(key.value)) {
        refuse('invalid_input', `${part}.${index}`, 'this is not the id of a Pipedrive record');
      }
      if (canIdentify(step.object, key)) return;
      const message = `a ${step.object} cannot be found by ${key.kind}`;
      refuse('invalid_input', `${part}.${index}`, message);
    });
  }
  for (const [code, name] of Object.entries(step.references)) {
    if (at.earlier.includes(name)) continue;
    refuse('invalid_input', `references.${code}`, `no earlier step is called ${name}`);
  }
  for (const part of ['fields', 'createOnlyFields', 'references'] as const) {
    for (const code of Object.keys(step[part])) {
      if (step.operation === 'merge' && part === 'references') continue;
      const known = at.fields?.get(code);
      if (at.fields !== undefined && known === undefined) {
        const message = `there is no field ${code} of ${step.object} in Pipedrive`;
        refuse('unknown_field', `${part}.${code}`, message);
      } else if (known?.readOnly === true) {
        refuse('invalid_input', `${part}.${code}`, `only Pipedrive sets the field ${code}`);
      }
    }
  }
  return problems;
}

const needsIdentity: readonly WriteStep['operation'][] = ['delete', 'link', 'update', 'merge'];

/** A merge needs a record that stays, and writes no field itself. */
function checkMerge(
  step: WriteStep,
  refuse: (reason: ReasonCode, path: string, message: string) => void,
): void {
  if (!isMergeable(step.object)) {
    refuse('invalid_input', 'operation', `Pipedrive cannot merge two of ${step.object}`);
  }
  const names = Object.keys(step.references);
  if (names.some((name) => name !== 'survivor')) {
    refuse('invalid_input', 'references', 'a merge refers to nothing but its survivor');
  }
  if (step.survivor.length > 0 === names.length > 0) {
    refuse('invalid_input', 'survivor', 'a merge needs one record that stays: by keys or by step');
  }
  for (const part of ['fields', 'createOnlyFields', 'onlyWhere'] as const) {
    if (Object.keys(step[part]).length > 0) {
      refuse('invalid_input', part, 'a merge writes no fields: use a step of its own for them');
    }
  }
}
