import { Environment } from '@marcbachmann/cel-js';
import { replacedConversions } from './functions/conversions.ts';
import { register } from './functions/definition.ts';
import { listFunctions } from './functions/lists.ts';
import { greatest, least, mathFunctions } from './functions/numbers.ts';
import { registerOperators } from './functions/operators.ts';
import { patternFunctions } from './functions/text/patterns.ts';
import { replacedTextFunctions, textFunctions } from './functions/text/text.ts';
import { replacedTimeFunctions, timeFunctions } from './functions/time/times.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { createMeter } from './meter.ts';
import { isVariableName, type ValueSchema, type Variables } from './schema.ts';
import { defaultMacro } from './tree/presence.ts';

/** Measures the evaluation that runs; functions were registered with it. */
export const meter = createMeter();

const GREATEST_OF = 8;

// what `math` is: a thing to call methods of, with nothing in it
const MathSpace = function MathSpace() {} as unknown as new () => object;

function withFunctions(): Environment {
  const environment = new Environment({
    enableOptionalTypes: true,
    // a list or map of mixed types is checked when it is evaluated
    homogeneousAggregateLiterals: false,
    limits: {
      maxAstNodes: SOURCE_LIMITS.nodes,
      maxDepth: SOURCE_LIMITS.depth,
      maxListElements: SOURCE_LIMITS.literalElements,
      maxMapEntries: SOURCE_LIMITS.literalElements,
      maxCallArguments: SOURCE_LIMITS.callArguments,
    },
  });
  environment.registerType('Math', MathSpace);
  environment.registerConstant('math', 'Math', new MathSpace());
  registerOperators(environment);
  const replacing = [replacedTextFunctions(meter), patternFunctions(meter)];
  for (const definitions of [replacedConversions, replacedTimeFunctions, ...replacing]) {
    register(environment, definitions, { replacing: true });
  }
  for (const definitions of [
    textFunctions(meter),
    timeFunctions,
    mathFunctions,
    listFunctions(meter),
  ]) {
    register(environment, definitions, { replacing: false });
  }
  environment.registerFunction('default(ast, ast): dyn', defaultMacro, { async: false });
  for (let count = 1; count <= GREATEST_OF; count++) {
    const args = Array.from({ length: count }, () => 'ast').join(', ');
    environment.registerFunction(`Math.greatest(${args}): dyn`, greatest, { async: false });
    environment.registerFunction(`Math.least(${args}): dyn`, least, { async: false });
  }
  return environment;
}

/** All functions and no variables. */
export const base = withFunctions();

/** Where expressions are evaluated. Types come from values: a typed one refuses what only looks wrong. */
export const evaluating = base.clone({ unlistedVariablesAreDyn: true });

/** Where expressions are checked against what is known of the variables. */
export interface Typed {
  readonly environment: Environment;
  /** The fields of every type that has some. */
  readonly fields: ReadonlyMap<string, ReadonlySet<string>>;
}

const known = new WeakMap<Variables, Typed>();

export function typedEnvironment(variables: Variables): Typed {
  const made = known.get(variables) ?? makeTyped(variables);
  known.set(variables, made);
  return made;
}

function makeTyped(variables: Variables): Typed {
  const environment = base.clone();
  const fields = new Map<string, ReadonlySet<string>>();

  // names by number: the library keeps every name for ever, so each environment uses the same
  const typeOf = (schema: ValueSchema): string => {
    if (typeof schema === 'string') return simple[schema];
    if ('list' in schema) return `list<${typeOf(schema.list)}>`;
    if ('map' in schema) return `map<string, ${typeOf(schema.map)}>`;
    const name = `object.${fields.size}`;
    const names = Object.keys(schema.fields);
    fields.set(name, new Set(names));
    const types = names.map((key) => [key, typeOf(schema.fields[key] ?? 'any')]);
    environment.registerType(name, { fields: Object.fromEntries(types) });
    environment.registerOperator(`string in ${name}`, () => false);
    return name;
  };

  for (const [name, schema] of Object.entries(variables)) {
    if (isVariableName(name)) environment.registerVariable(name, typeOf(schema));
  }
  return { environment, fields };
}

const simple: Record<Extract<ValueSchema, string>, string> = {
  text: 'string',
  integer: 'int',
  number: 'double',
  boolean: 'bool',
  datetime: 'google.protobuf.Timestamp',
  date: 'google.protobuf.Timestamp',
  any: 'dyn',
};
