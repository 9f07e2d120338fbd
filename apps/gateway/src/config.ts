import { readConfig } from '@manifold/service';
import { z } from 'zod';

const ServiceUrls = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'is not JSON' });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.url({ protocol: /^https?$/ })));

const Origins = z
  .string()
  .default('')
  .transform((list) =>
    list
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
  );

/** The environment of the gateway. */
export const config = () =>
  readConfig({
    NATS_URL: z.string().min(1),
    PORT: z.coerce.number().int().min(1).max(65_535),
    HOST: z.string().default('127.0.0.1'),
    /** PKCS #8 PEM or base64 of it: signs the identity that services verify. */
    IDENTITY_PRIVATE_KEY: z.string().min(1),
    /** JSON, service name → URL. The supergraph holds names only. */
    SERVICE_URLS: ServiceUrls,
    /** Comma-separated origins whose pages may call the gateway; none by default. */
    CORS_ORIGINS: Origins,
  });
