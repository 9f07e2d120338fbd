import { z } from 'zod';

/** Asks the gateway, as a frontend would. */
export type Graph = <Shape extends z.ZodType>(
  query: string,
  variables: Record<string, unknown>,
  shape: Shape,
) => Promise<z.output<Shape>>;

const Answer = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        extensions: z.looseObject({ fix: z.string().optional() }).optional(),
      }),
    )
    .optional(),
});

/** A client of the graph for one key; refusals are thrown with their fix. */
export function connectGraph(gateway: string, apiKey: string, workspaceId?: string): Graph {
  return async (query, variables, shape) => {
    const response = await fetch(gateway, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${apiKey}`,
        ...(workspaceId === undefined ? {} : { 'x-workspace': workspaceId }),
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(20_000),
    });
    const answer = Answer.parse(await response.json());
    const problem = answer.errors?.[0];
    if (problem)
      throw new Error([problem.message, problem.extensions?.fix].filter(Boolean).join('. '));
    return shape.parse(answer.data);
  };
}
