export {
  compile,
  type CompiledMapping,
  type MappingInput,
  type NeededExpression,
} from './compiling/compile.ts';
export { excerptCatalogue, sourceFieldsOf } from './compiling/excerpt.ts';
export {
  checkRequiredTargets,
  referralRequiredTargets,
  type RequiredTarget,
} from './compiling/required.ts';
export { targetKeyOf } from './compiling/rows.ts';
export { isEmpty } from './converting/conversion.ts';
export { readPermission } from './converting/permissions.ts';
export { isValueOf } from './converting/shapes.ts';
export { isConvertible } from './converting/table.ts';
export {
  existingRuleOf,
  fieldsToWrite,
  isSameValue,
  type Merge,
  merge,
  type MergeResult,
} from './merging/merge.ts';
export {
  decidePermissions,
  type PermissionDecision,
  type PermissionQuestion,
  type Permissions,
  USUAL_PERMISSIONS,
} from './merging/permissions.ts';
export { partsOf, variableTypeOf } from './reading/field-types.ts';
export type { Calculated } from './running/compiled-row.ts';
export type { MappedRecord } from './running/map-record.ts';
export type { MappedValues } from './running/values.ts';
