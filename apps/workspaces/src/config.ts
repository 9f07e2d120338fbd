import { readConfig, serviceEnvironment } from '@manifold/service';
import { z } from 'zod';

/** The environment of the workspaces service. Bootstrapping is off without `BOOTSTRAP_API_KEY`. */
export const config = () =>
  readConfig({
    ...serviceEnvironment,
    /** The first owner's key; used only while no workspace exists. */
    BOOTSTRAP_API_KEY: z.string().min(20).max(256).optional(),
    BOOTSTRAP_WORKSPACE_NAME: z.string().min(1).max(100).default('Main'),
    BOOTSTRAP_OWNER_NAME: z.string().min(1).max(100).default('Owner'),
    BOOTSTRAP_OWNER_EMAIL: z.email().default('owner@example.invalid'),
  });
