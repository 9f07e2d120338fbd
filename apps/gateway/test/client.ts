import { z } from 'zod';
import { key } from './library.ts';

/** As loose as a client reads it. */
const Answer = z.looseObject({
  data: z.any().optional(),
  errors: z.array(z.any()).default([]),
});

export const signedIn = () => ({ authorization: `Bearer ${key}` });

/** Sends operations to a gateway, as anybody or with the key the library knows. */
export function createClient(base: string) {
  const send = async (sent: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${base}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(sent),
    });
    const body = Answer.parse(await response.json());
    return { response, status: response.status, body };
  };
  const ask = async (
    query: string,
    { headers = {} }: { headers?: Record<string, string> } = {},
  ) => {
    const { response, body } = await send({ query }, { ...signedIn(), ...headers });
    return { response, body, data: body.data };
  };
  return { send, ask };
}
