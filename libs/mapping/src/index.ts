export { compile, type CompiledMapping, type MappingInput } from './compile.ts';
export { isEmpty } from './conversion.ts';
export { isConvertible } from './convert.ts';
export { excerptCatalogue, sourceFieldsOf } from './excerpt.ts';
export type { MappedRecord, MappedValues } from './map-record.ts';
export {
  existingRuleOf,
  fieldsToWrite,
  isSameValue,
  type KeptReason,
  type Merge,
  merge,
  type MergeResult,
} from './merge.ts';
export { partsOf, variableTypeOf } from './field-types.ts';
export { checkRequiredTargets, referralRequiredTargets, type RequiredTarget } from './required.ts';
export { targetKeyOf } from './rows.ts';
export { isValueOf } from './shapes.ts';
