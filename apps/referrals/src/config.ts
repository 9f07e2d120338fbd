import { readConfig, serviceEnvironment } from '@manifold/service';
import { z } from 'zod';

export const config = () =>
  readConfig({
    ...serviceEnvironment,
    /** What a referral link begins with where a campaign does not say. */
    REFERRAL_LINK_BASE: z.url({ protocol: /^https?$/ }).default('http://localhost:4000/r/'),
  });
