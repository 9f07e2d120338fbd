import type {
  MappedValue,
  MappingProblem,
  MappingRow,
  MappingRowTarget,
  MappingSource,
  TargetKey,
} from '@manifold/contracts';
import { type Convert, inTurn, isEmpty, withheld } from '../converting/conversion.ts';
import type { CompiledRow } from '../running/compiled-row.ts';
import { type Catalogue, runsIn, sourceOf, targetOf } from './ends.ts';
import { checkConstant, defaultOf } from './fixed.ts';
import { noConversion, type Obstacle, wrongDirection } from './obstacles.ts';

/** The name of a row's target, `<object>.<field>`. */
export const targetKeyOf = ({
  object,
  field,
}: Pick<MappingRowTarget, 'object' | 'field'>): TargetKey => `${object}.${field}`;

/** The definitions a mapping brought along, for look-ups. */
export function catalogueOf(source: MappingSource): Catalogue {
  const fields = new Map(source.catalogue.map((field) => [`${field.object}.${field.code}`, field]));
  return (object, code) => fields.get(`${object}.${code}`);
}

type Checked = { row: CompiledRow } | { problem: MappingProblem };

/** One row checked against the catalogue and made ready, or why it cannot be. */
export function compileRow(
  row: MappingRow,
  direction: MappingSource['direction'],
  catalogue: Catalogue,
): Checked {
  const made = makeRow(row, direction, catalogue);
  return 'code' in made
    ? { problem: { rowId: row.id, target: targetKeyOf(row.target), ...made } }
    : { row: made };
}

function makeRow(
  row: MappingRow,
  direction: MappingSource['direction'],
  catalogue: Catalogue,
): CompiledRow | Obstacle {
  if (!runsIn(direction, row)) return wrongDirection(row.source.object, row.target.object);
  const source = sourceOf(row, catalogue);
  if ('code' in source) return source;
  const target = targetOf(row, catalogue);
  if ('code' in target) return target;
  const between = target.convert(source.type);
  if (between === undefined) return noConversion(source.type, target.type);
  const convert = inTurn(inTurn(source.read, between), target.write);
  const wrong = checkConstant(row, convert);
  if (wrong !== undefined) return wrong;
  const fallback = defaultOf(row, target);
  if ('code' in fallback) return fallback;
  const { object, field } = row.target;
  const createOnly = row.createOnly ?? false;
  return {
    id: row.id,
    source: row.source.object,
    answer: answerOf(row, convert),
    target: { object, field, key: targetKeyOf(row.target), part: target.part },
    default: fallback.value,
    createOnly,
    required: row.required ?? false,
    plain: target.part === undefined && isEmpty(fallback.value) && !createOnly,
  };
}

const NOTHING = { value: null };

/** What a row gives for a record. */
function answerOf(
  { id, source }: MappingRow,
  convert: Convert<MappedValue>,
): CompiledRow['answer'] {
  const answer = (raw: unknown) => (isEmpty(raw) ? NOTHING : convert(raw));
  if (source.object === 'constant') {
    const fixed = answer(source.value);
    return () => fixed;
  }
  if (source.object === 'calculated') {
    const failed = withheld('calculation_failed');
    return ({ calculated }) => {
      const outcome = Object.hasOwn(calculated, id) ? calculated[id] : undefined;
      return outcome?.outcome === 'value' ? answer(outcome.value) : failed;
    };
  }
  const { field } = source;
  // a field may be called like something every object inherits
  if (field in Object.prototype) {
    return ({ fields }) => (Object.hasOwn(fields, field) ? answer(fields[field]) : undefined);
  }
  return ({ fields }) => {
    const raw = fields[field];
    return raw === undefined ? undefined : answer(raw);
  };
}
