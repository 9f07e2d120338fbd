import { z } from 'zod';

/** As loose as a client reads it. */
const Result = z.looseObject({ data: z.any().optional(), errors: z.array(z.any()).default([]) });

/** Follows a subscription at the gateway; what was sent so far can be looked at. */
export async function startFollowing(
  { gateway, apiKey }: { gateway: string; apiKey: string },
  query: string,
  variables: object = {},
) {
  const leaving = new AbortController();
  const response = await fetch(gateway, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${apiKey}`,
    },
    body: JSON.stringify({ query, variables }),
    signal: leaving.signal,
  });
  const { body } = response;
  if (!response.ok || body === null) throw new Error(`It was answered ${response.status}`);
  const seen = { results: [] as z.infer<typeof Result>[], completed: false };
  let text = '';
  const read = async () => {
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      seen.results = [...text.matchAll(/^event: next\ndata: (.*)\n\n/gm)].map(([, json = '']) =>
        Result.parse(JSON.parse(json)),
      );
      seen.completed = text.includes('event: complete\n');
    }
  };
  const reading = read().catch(() => undefined);
  const leave = async () => {
    leaving.abort();
    await reading;
  };
  return { seen, leave };
}
