import { randomBytes } from 'node:crypto';
import { acrossWorkspaces } from '@manifold/database';
import type { Logger } from 'pino';
import { Pool } from 'undici';
import type { Db } from '../src/store.ts';
import { basicAuthorization } from '../src/vault/compare.ts';
import { connectForDeliveries, type Deliveries } from './deliveries.ts';
import { startInstallation } from './installation.ts';
import { dumpTables, listEvents } from './looking.ts';

interface Forgery {
  path: string;
  authorization: string;
  type: string;
  body: string;
  /** What the answer may be. */
  expected: number;
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** Every way to be no webhook of ours, in turn; `n` makes each one different. */
function forgeries(hooks: Deliveries, n: number): Forgery[] {
  const right = {
    path: new URL(hooks.address).pathname,
    authorization: basicAuthorization('manifold', hooks.password),
    type: 'application/json',
    body: JSON.stringify(hooks.change()),
  };
  const random = randomBytes(32).toString('base64url');
  const meta = (change: object) => JSON.stringify(hooks.change(change as never));
  const unknown = { ...right, path: `/webhooks/${random}` };
  const wrong = { ...right, authorization: basicAuthorization('manifold', random) };
  const body = (text: string) => ({ ...right, body: text });
  return [
    { ...unknown, expected: 401 },
    { ...wrong, expected: 401 },
    { ...right, authorization: '', expected: 401 },
    { ...right, authorization: `Bearer ${hooks.password}`, expected: 401 },
    { ...right, authorization: basicAuthorization('admin', hooks.password), expected: 401 },
    { ...right, path: `${right.path}x`, expected: 404 },
    { ...right, path: '/webhooks/../graphql', expected: 404 },
    { ...right, path: `/webhooks//${random}`, expected: 404 },
    { ...right, type: 'text/plain', expected: 400 },
    { ...right, type: 'application/x-www-form-urlencoded', body: 'Canary=1', expected: 400 },
    { ...body(`{"Canary":${n}`), expected: 400 },
    { ...body('\u0000\u0001Canary'), expected: 400 },
    { ...body(''), expected: 400 },
    { ...body(nested(20_000)), expected: 200 },
    { ...body(`{"meta":${nested(5_000)}}`), expected: 200 },
    { ...body('null'), expected: 200 },
    { ...body(`"Canary ${n}"`), expected: 200 },
    { ...body(meta({ company_id: String(666 + n) })), expected: 200 },
    { ...body(meta({ id: `a\u0000${n}` })), expected: 200 },
    { ...body(meta({ id: '\ud800' })), expected: 200 },
    { ...body(meta({ entity_id: `../users/${n}` })), expected: 200 },
    { ...body(meta({ entity_id: { $ne: n } })), expected: 200 },
    { ...body(meta({ entity: '__proto__' })), expected: 200 },
    { ...body(meta({ timestamp: '1e400' })), expected: 200 },
    { ...body(meta({ action: 'drop' })), expected: 200 },
    { ...body('{"__proto__":{"meta":{}},"constructor":{"prototype":1}}'), expected: 200 },
  ];
}

const AT_ONCE = 40;

interface Ground {
  database: { db: Db; urls: { ownerUrl: string; appUrl: string } };
  natsUrl: string;
  sandbox: { url: string; controlUrl: string; apiToken: string };
  log: Logger;
  now?: () => Date;
  /** Moves the service's clock on, for whoever was told to come back later; absent: nobody does. */
  passTime?: (seconds: number) => void;
}

/** An installation with one webhook, and a way to send it what is none. */
export async function startForging(given: Ground) {
  const { database, sandbox, passTime, ...ground } = given;
  const { db, urls } = database;
  const installation = await startInstallation({ ...ground, urls, sandbox });
  const hooks = await connectForDeliveries(installation, { db, apiToken: sandbox.apiToken });
  const pool = new Pool(installation.publicUrl, { connections: 8 });
  return {
    hooks,
    pool,
    /** Sends so many that are none of ours; which were answered otherwise than they should. */
    sendForged: async (count: number) =>
      wrongAnswers(await sendForged({ hooks, pool, passTime }, count)),
    statesOfForged: () => statesOf(db),
    /** What the workspace was told, and which secrets can be read in the database or in these lines. */
    lookAfter: (lines: readonly string[]) => lookAfterForging({ db, hooks, lines }),
    stop: async () => {
      await pool.destroy();
      await installation.stop();
    },
  };
}

interface Sending {
  hooks: Deliveries;
  pool: Pool;
  passTime: Ground['passTime'];
}

/** How each kind was answered, and how it should have been. */
async function sendForged({ hooks, pool, passTime }: Sending, count: number): Promise<string[]> {
  const kinds = forgeries(hooks, 0).length;
  const answers = new Set<string>();
  const send = async (n: number): Promise<void> => {
    const forgery = forgeries(hooks, n)[n % kinds];
    if (forgery === undefined) return;
    const { path, authorization, type, body, expected } = forgery;
    const headers = { 'content-type': type, authorization };
    const answer = await pool.request({ path, method: 'POST', headers, body });
    await answer.body.dump();
    if (answer.statusCode === 429 && passTime !== undefined) {
      passTime(Number(answer.headers['retry-after']));
      return send(n);
    }
    answers.add(`${n % kinds}: ${answer.statusCode} for ${expected}`);
  };
  for (let n = 0; n < count; n += AT_ONCE) {
    const some = Math.min(AT_ONCE, count - n);
    await Promise.all(Array.from({ length: some }, (_, index) => send(n + index)));
  }
  return [...answers];
}

/** Those that were answered otherwise than they should; of many wrong ones a part is told to come later. */
const wrongAnswers = (answers: readonly string[]): string[] =>
  answers.filter((outcome) => !/: (\d+) for \1$|: 429 for 401$/.test(outcome));

/** In which states the deliveries are that were kept. */
async function statesOf(db: Db): Promise<string[]> {
  const states = await acrossWorkspaces(db, (tx) =>
    tx.selectFrom('webhook_receipt').select('state').distinct().execute(),
  );
  return states.map(({ state }) => state).toSorted();
}

async function lookAfterForging({
  db,
  hooks,
  lines,
}: {
  db: Db;
  hooks: Deliveries;
  lines: readonly string[];
}) {
  const places = `${lines.join('\n')}\n${await dumpTables(db)}`;
  const secrets = ['Canary', new URL(hooks.address).pathname.slice(10), hooks.password];
  return {
    told: await listEvents(db, hooks.workspaceId, 'record_changed'),
    leaked: secrets.filter((secret) => places.includes(secret)),
  };
}
