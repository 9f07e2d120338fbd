import type {
  MappedValue,
  MappingPart,
  MappingRow,
  TargetKey,
  TargetObject,
} from '@manifold/contracts';
import type { Conversion } from '../converting/conversion.ts';
import type { Join } from '../writing/parts.ts';

/** Everything a row can take its value from. */
export type SourceObject = MappingRow['source']['object'];

/** What became of the expression of a row; the outcomes of libs/expressions are of this form. */
export type Calculated =
  | { readonly outcome: 'value'; readonly value: unknown }
  | { readonly outcome: 'error' };

/** What a record is mapped from. */
export interface Given {
  fields: Readonly<Record<string, unknown>>;
  /** By the id of the row. */
  calculated: Readonly<Record<string, Calculated>>;
}

/** A row that works: where its value comes from and what is done to it on the way. */
export interface CompiledRow {
  id: string;
  source: SourceObject;
  /** In the target's form; undefined: the record says nothing about it. */
  answer: (given: Given) => Conversion<MappedValue> | undefined;
  target: RowTarget;
  /** Already in the target's form. */
  default: MappedValue;
  createOnly: boolean;
  required: boolean;
  /** One value for one target on every record: no part, no default, not for creation only. */
  plain: boolean;
}

export interface RowTarget {
  object: TargetObject;
  field: string;
  key: TargetKey;
  /** Of a composite that several rows put together. */
  part: { name: MappingPart; join: Join } | undefined;
}
