import { z } from 'zod';

/** Reads the environment once, at start, and names every variable that is wrong; never a value. */
export function readConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: NodeJS.ProcessEnv = process.env,
): z.output<z.ZodObject<Shape>> {
  const result = z.object(shape).safeParse(env);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `  ${issue.path.join('.')}: ${issue.message}`,
  );
  throw new Error(`Invalid environment\n${problems.join('\n')}`);
}

/** The environment every service with a database, a stream and a subgraph reads. */
export const serviceEnvironment = {
  /** Runtime role: neither owner of the tables nor superuser. */
  DATABASE_URL: z.url(),
  /** Owning role, used for migrations at start only. */
  DATABASE_OWNER_URL: z.url(),
  NATS_URL: z.string().min(1),
  PORT: z.coerce.number().int().min(1).max(65_535),
  HOST: z.string().default('127.0.0.1'),
  /** SPKI PEM or base64 of it: verifies the identity the gateway signs. */
  IDENTITY_PUBLIC_KEY: z.string().min(1),
};
