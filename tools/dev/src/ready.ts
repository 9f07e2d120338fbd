import { setTimeout as sleep } from 'node:timers/promises';

const ASK_EVERY_MS = 100;

/** Waits until every process says it is ready; tells how many are, and gives up when aborted. */
export async function waitUntilReady(
  processes: readonly { name: string; url: string }[],
  options: {
    signal: AbortSignal;
    timeoutMs: number;
    onProgress?: (missing: readonly string[]) => void;
  },
): Promise<void> {
  const missing = new Map(processes.map(({ name, url }) => [name, url]));
  const deadline = Date.now() + options.timeoutMs;
  while (missing.size > 0) {
    options.signal.throwIfAborted();
    if (Date.now() > deadline) {
      throw new Error(
        `Not ready after ${options.timeoutMs / 1000} s: ${[...missing.keys()].join(', ')}. Their logs say why.`,
      );
    }
    for (const [name, url] of missing) if (await isReady(url)) missing.delete(name);
    options.onProgress?.([...missing.keys()]);
    if (missing.size > 0) await sleep(ASK_EVERY_MS);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

/** True when the graph answers this key's owner; readiness of the whole way through. */
export async function graphAnswers(gateway: string, apiKey: string): Promise<boolean> {
  try {
    const answer = await fetch(gateway, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({ query: '{ viewer { workspace { id } } }' }),
      signal: AbortSignal.timeout(5_000),
    });
    const body: unknown = await answer.json();
    return typeof body === 'object' && body !== null && 'data' in body && !('errors' in body);
  } catch {
    return false;
  }
}
