import type {
  FieldValue,
  MappedValue,
  Permission,
  TargetObject,
  VariableValue,
} from '@manifold/contracts';
import { isEmpty } from '../converting/conversion.ts';
import type { RowTarget } from './compiled-row.ts';

/** What a target of an object holds. */
type ValueOf<Target extends TargetObject> = Target extends 'permission'
  ? Permission | null
  : Target extends 'contact' | 'account'
    ? VariableValue
    : FieldValue;

/** Values by target object, then by variable, channel or field code. Null says "known to be empty". */
export type MappedValues = {
  [Target in TargetObject]?: Record<string, ValueOf<Target>>;
};

/** The same without telling the objects apart; `compileRow` saw to it that values fit. */
type Untold = Partial<Record<TargetObject, Record<string, MappedValue>>>;

export function put(values: MappedValues, { object, field }: RowTarget, value: MappedValue): void {
  const untold = values as Untold;
  const its = untold[object];
  if (its === undefined) untold[object] = { [field]: value };
  else its[field] = value;
}

export function isFilled(values: MappedValues, { object, field }: RowTarget): boolean {
  const its = (values as Untold)[object];
  return its !== undefined && Object.hasOwn(its, field) && !isEmpty(its[field]);
}
