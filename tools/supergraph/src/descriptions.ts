import {
  type GraphQLArgument,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';

/** Coordinates of everything a client sees that nobody has described, e.g. `Contact.name`. */
export function listUndescribed(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
    .flatMap((type) => [...(type.description ? [] : [type.name]), ...undescribedMembers(type)]);
}

function undescribedMembers(type: GraphQLNamedType): string[] {
  if (isEnumType(type)) {
    return type
      .getValues()
      .filter(({ description }) => !description)
      .map(({ name }) => `${type.name}.${name}`);
  }
  if (isInputObjectType(type)) {
    return Object.values(type.getFields())
      .filter(({ description }) => !description)
      .map(({ name }) => `${type.name}.${name}`);
  }
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) => [
    ...(field.description || field.name === '_service' ? [] : [`${type.name}.${field.name}`]),
    ...undescribedArguments(`${type.name}.${field.name}`, field.args),
  ]);
}

const undescribedArguments = (field: string, args: readonly GraphQLArgument[]): string[] =>
  args.filter(({ description }) => !description).map(({ name }) => `${field}(${name}:)`);
