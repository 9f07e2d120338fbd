import { ConnectionId, FieldCode, PipedriveObject } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { CREATABLE_TYPES, type CreatableType } from '@manifold/pipedrive';
import {
  boundedText,
  idToFind,
  optional,
  originOf,
  type RequestContext,
  requireRole,
  type Resolvers,
} from '@manifold/subgraph';
import { z } from 'zod';
import type { PipedriveAccess } from '../../accounts/calling/client.ts';
import { openConnection } from '../asking.ts';
import type { FieldCreationDeps } from './catalogue.ts';
import { createField } from './commands.ts';
import { createFieldOptions } from './options.ts';
import { CREATABLE_OBJECTS, distinctLabels, type FieldOwnerObject, ownerOf } from './rules.ts';
import { suggestType } from './suggestion/rules.ts';

const MOST_OPTIONS = 500;

const inGraph = (type: CreatableType): string => type.toUpperCase();
const Type = z
  .enum(CREATABLE_TYPES.map(inGraph))
  .transform((type) => CREATABLE_TYPES.find((known) => inGraph(known) === type) ?? 'varchar');

const Label = z.string().trim().pipe(boundedText(255).min(1));
const Samples = {
  sourceType: optional(boundedText(64)),
  samples: optional(z.array(boundedText(10_000)).max(100)),
};
const SuggestionArguments = z.object(Samples);

const CreateArguments = z.object({
  input: z.object({
    connectionId: idToFind(ConnectionId),
    object: PipedriveObject,
    name: Label,
    type: optional(Type),
    options: optional(z.array(Label).min(1).max(MOST_OPTIONS)),
    ...Samples,
  }),
});

const OptionsArguments = z.object({
  input: z.object({
    connectionId: idToFind(ConnectionId),
    object: PipedriveObject,
    fieldCode: FieldCode,
    labels: z.array(Label).min(1).max(100),
  }),
});

export const createFieldCreationResolvers = (
  deps: FieldCreationDeps & { access: PipedriveAccess },
): Resolvers => ({
  Query: {
    suggestFieldType: (_: unknown, args: object) => {
      const { type, options, reason } = suggestType(SuggestionArguments.parse(args));
      return { type: inGraph(type), options: options ?? [], reason };
    },
  },
  Mutation: {
    createField: async (_: unknown, args: { input: unknown }, context: RequestContext) => {
      const { input } = CreateArguments.parse(args);
      requireRole(context.identity, 'MEMBER');
      const object = requireOwner(input.object);
      const suggested = input.type === undefined ? suggestType(input) : undefined;
      const type = input.type ?? suggested?.type ?? 'varchar';
      const options = requireOptions(type, input.options ?? suggested?.options);
      const { connection, client } = await openConnection(deps, context, {
        connectionId: input.connectionId,
        feature: 'field_creation',
      });
      const asker = originOf(context);
      const wanted = { connection, object, asker, name: input.name, type, options };
      return createField(deps, client, wanted);
    },
    createFieldOptions: async (_: unknown, args: { input: unknown }, context: RequestContext) => {
      const {
        connectionId,
        object: named,
        fieldCode: code,
        labels,
      } = OptionsArguments.parse(args).input;
      requireRole(context.identity, 'MEMBER');
      const object = requireOwner(named);
      const { connection, client } = await openConnection(deps, context, {
        connectionId,
        feature: 'field_creation',
      });
      const asker = originOf(context);
      return createFieldOptions(deps, client, { connection, object, asker, code, labels });
    },
  },
});

function requireOwner(object: PipedriveObject): FieldOwnerObject {
  const owner = ownerOf(object);
  if (owner !== undefined) return owner;
  throw new Refusal('invalid', `Fields of ${object} records cannot be made`, {
    reason: 'invalid_input',
    field: 'input.object',
    fix: `Use any of ${CREATABLE_OBJECTS.join(', ').toUpperCase()}.`,
  });
}

/** Choices go with the two types that have some, and with no other. */
function requireOptions(
  type: CreatableType,
  options: readonly string[] | undefined,
): string[] | undefined {
  const hasChoices = type === 'enum' || type === 'set';
  if (!hasChoices && options === undefined) return undefined;
  if (hasChoices && options !== undefined) return distinctLabels(options);
  throw new Refusal(
    'invalid',
    hasChoices ? 'This type needs choices' : 'Only ENUM and SET have choices',
    {
      reason: 'invalid_input',
      field: 'input.options',
      fix: hasChoices ? 'Give at least one.' : 'Leave `options` out, or use ENUM or SET.',
    },
  );
}
