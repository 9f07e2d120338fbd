import { z } from 'zod';
import { signedIn } from './client.ts';

/** As loose as a client reads it. */
const Result = z.looseObject({ data: z.any().optional(), errors: z.array(z.any()).default([]) });
type Result = z.infer<typeof Result>;

/** Follows a subscription as a client does; what it is sent can be looked at, and counted. */
export async function listen(
  base: string,
  query: string,
  options: {
    variables?: object;
    headers?: Record<string, string>;
    method?: 'GET' | 'POST';
    operationName?: string;
  } = {},
) {
  const { variables = {}, headers = signedIn(), method = 'POST', operationName } = options;
  const leaving = new AbortController();
  const url = new URL(`${base}/graphql`);
  if (method === 'GET') {
    url.searchParams.set('query', query);
    url.searchParams.set('variables', JSON.stringify(variables));
  }
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    ...(method === 'POST' ? { body: JSON.stringify({ query, variables, operationName }) } : {}),
    signal: leaving.signal,
  });
  const { heard, ended } = startHearing(response);
  const leave = async () => {
    leaving.abort();
    await ended;
  };
  return { response, heard, leave };
}

export type Listener = Awaited<ReturnType<typeof listen>>;

function startHearing({ body }: Response) {
  if (body === null) throw new Error('The answer has no body');
  const heard = { results: [] as Result[], text: '', completed: false, ended: false };
  const read = async () => {
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      heard.text += chunk;
      const parts = heard.text.split('\n\n').slice(0, -1);
      heard.results = parts.flatMap((part) => {
        const json = /^event: next\ndata: (.*)$/.exec(part)?.[1];
        return json === undefined ? [] : [Result.parse(JSON.parse(json))];
      });
      heard.completed = parts.includes('event: complete\ndata:');
    }
  };
  const ended = read()
    .catch(() => undefined)
    .then(() => {
      heard.ended = true;
    });
  return { heard, ended };
}
