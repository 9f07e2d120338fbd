import { relative } from 'node:path';
import { join } from 'node:path';
import { runDemo } from './demo.ts';
import { createScreen } from './screen.ts';
import { HELP, readSettings, ROOT } from './settings.ts';
import { type Running, startAll } from './start.ts';

const screen = createScreen(process.stdout);
const stopping = new AbortController();
const stop = () => {
  // a second Ctrl-C does not leave things half stopped: stopping takes 12 s at most
  if (!stopping.signal.aborted) screen.say('Stopping …');
  stopping.abort(new Error('Stopped'));
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
// npm hands signals on, unless it is killed itself
const npm = process.ppid;
if (process.env['npm_lifecycle_event'] === 'start') {
  setInterval(() => {
    if (process.ppid !== npm) stop();
  }, 250).unref();
}
const stopped = new Promise<void>((resolve) => {
  stopping.signal.addEventListener('abort', () => resolve());
});

let running: Running | undefined;
try {
  const settings = await readSettings(process.argv.slice(2), process.env);
  if (settings.help) {
    console.log(HELP);
    process.exit(0);
  }
  const startedAt = Date.now();
  running = await startAll(settings, screen, stopping.signal);
  screen.say(`\nManifold is ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  showTable(running, settings.home);
  if (!settings.empty) {
    await runDemo({ running, settings, screen, signal: stopping.signal }).catch(
      (error: unknown) => {
        stopping.signal.throwIfAborted();
        // the system itself runs: whoever looks for the cause needs it
        screen.say(
          `The demo did not finish: ${error instanceof Error ? error.message : String(error)}`,
        );
      },
    );
  }
  showThingsToTry(running, settings.empty);
  await stopped;
} catch (error) {
  if (!stopping.signal.aborted) {
    screen.say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
} finally {
  await running?.stop();
}
if (running || stopping.signal.aborted) screen.say('Everything is stopped.');
process.exit();

function showTable({ endpoints, infrastructure }: Running, home: string): void {
  const { postgres, nats } = infrastructure.sources;
  screen.table([
    ['graph', endpoints.gateway],
    ['explorer', new URL('/', endpoints.gateway).href],
    ['API key', endpoints.apiKey],
    ['local Pipedrive', endpoints.sandbox.url],
    ...Object.entries(endpoints.services).map(([name, { url }]) => [name, url] as const),
    ['Postgres', postgres],
    ['NATS', `${new URL(endpoints.nats).host} (${nats})`],
    ['endpoints', relative(ROOT, join(home, 'endpoints.json'))],
    ['logs', relative(ROOT, join(home, 'logs'))],
  ]);
}

function showThingsToTry({ endpoints }: Running, empty: boolean): void {
  const { sandbox, gateway, apiKey } = endpoints;
  const explorer = new URL('/', gateway).href;
  const curl = `curl ${gateway} -H 'authorization: Bearer ${apiKey}' -H 'content-type: application/json'`;
  screen.say(
    empty
      ? `
Three things to try
  1. Open ${explorer} and paste the API key.
  2. Fill the local Pipedrive with records:
     curl ${sandbox.controlUrl}/generate -H 'content-type: application/json' -d '{"seed":1,"persons":100,"organizations":20}'
  3. Connect it: open the authorizationUrl of
     ${curl} \\
       -d '{"query":"mutation { beginConnection(input: {kind: ORGANIZATION}) { authorizationUrl } }"}'
     and send the code it shows you within 5 minutes:
     ${curl} \\
       -d '{"query":"mutation { completeConnection(input: {code: \\"…\\"}) { connection { name status } } }"}'
Ctrl-C stops everything.
`
      : `
Three things to try
  1. Open ${explorer} and paste the API key.
  2. Change a person in the local Pipedrive, then ask the graph for it:
     curl -X PATCH ${sandbox.url}/api/v2/persons/1 -H 'x-api-token: ${sandbox.apiToken}' \\
       -H 'content-type: application/json' -d '{"name":"Ada Lovelace"}'
     ${curl} \\
       -d '{"query":"{ contacts(filter: {nameContains: \\"Lovelace\\"}) { nodes { name email pipedriveUrl } } }"}'
  3. Look at the sign-ups and their leads:
     ${curl} \\
       -d '{"query":"{ referralUsers(first: 5) { nodes { email delivery { state lead { pipedriveUrl } } } } }"}'
Ctrl-C stops everything.
`,
  );
}
