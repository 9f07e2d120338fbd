import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { request as send, type Server } from 'node:http';
import { connect } from 'node:net';
import { captureLog } from '@manifold/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { readBody, sendJson, startHttp } from './http.ts';

const { log, lines } = captureLog();
const ready = { database: true, broker: true };
const http = await startHttp({
  host: '127.0.0.1',
  port: 0,
  log,
  checks: {
    database: async () => ready.database,
    broker: async () => {
      if (!ready.broker) throw new Error('away');
      return true;
    },
  },
  routes: {
    '/echo': async (request, response) => {
      const body = await readBody(request, 100).catch((error: unknown) => String(error));
      sendJson(response, 200, { body: String(body) });
    },
    '/files/': (request, response) => sendJson(response, 200, { path: request.url }),
    '/broken': () => {
      throw new Error('password is swordfish');
    },
  },
});
const url = `http://127.0.0.1:${http.port}`;
afterAll(http.stop);

describe('health', () => {
  test('a process that lives says so, whatever it needs', async () => {
    ready.database = false;
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    ready.database = true;
  });

  test('it is ready when everything it needs is there, and names what is not', async () => {
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    Object.assign(ready, { database: false, broker: false });

    const response = await fetch(`${url}/readyz`);

    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 'not ready', missing: ['database', 'broker'] });
    Object.assign(ready, { database: true, broker: true });
  });
});

describe('routes', () => {
  test('match exactly, or by prefix when they end in a slash', async () => {
    expect(await (await fetch(`${url}/files/a/b`)).json()).toEqual({ path: '/files/a/b' });
    expect((await fetch(`${url}/echo/more`)).status).toBe(404);
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
  });

  test('one that fails answers without saying why, and logs it', async () => {
    const response = await fetch(`${url}/broken`);

    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('swordfish');
    expect(lines.join('\n')).toMatch(/\/broken.*request failed/);
  });

  test.each(['//', '/%', '/\\', '*'])(
    'an odd address %s is no reason to fall over',
    async (path) => {
      const status = await new Promise((resolve, reject) => {
        const request = send(
          { host: '127.0.0.1', port: http.port, path, method: 'OPTIONS' },
          (response) => {
            response.resume();
            resolve(response.statusCode);
          },
        );
        request.on('error', reject).end();
      });

      expect([400, 404]).toContain(status);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
    },
  );
});

describe('what is no HTTP', () => {
  test.each([
    ['nonsense', 'nonsense\r\n\r\n', '400'],
    ['endless headers', `GET / HTTP/1.1\r\nx: ${'x'.repeat(50_000)}`, '431'],
  ])('as %s is refused and the connection closed', async (_, sent, status) => {
    expect(await converse(sent)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test('an error of the server itself is logged and ends nothing', async () => {
    const seen = await serverOf(() => fetch(`${url}/healthz`));
    seen.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));

    expect(lines.join('\n')).toMatch(/EMFILE.*server failed/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('a body', () => {
  test('is read up to its limit', async () => {
    expect(await post('x'.repeat(100))).toBe('x'.repeat(100));
  });

  test('over its limit is refused, and the refusal still arrives', async () => {
    expect(await post('x'.repeat(101))).toContain('larger than 100 bytes');
    const chunks = new Blob(['x'.repeat(5_000_000)]).stream();
    const response = await fetch(`${url}/echo`, {
      method: 'POST',
      body: chunks,
      duplex: 'half' as const,
    });
    expect(await response.json()).toEqual({
      body: expect.stringContaining('larger than 100 bytes'),
    });
  });
});

test('a port that is taken is an error that names it', async () => {
  const options = { host: '127.0.0.1', port: http.port, routes: {}, checks: {}, log };
  await expect(startHttp(options)).rejects.toThrow(`Port ${http.port} on 127.0.0.1`);
});

/** Everything the server answers until it closes the connection. */
const converse = (sent: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(http.port, '127.0.0.1', () => socket.write(sent));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', reject).on('close', () => resolve(answer));
  });

/** Node tells with each request which server took it. */
async function serverOf(ask: () => Promise<unknown>): Promise<Server> {
  const told = new Promise<Server>((resolve) => {
    const name = 'http.server.request.start';
    const hear = (message: unknown) => {
      unsubscribe(name, hear);
      resolve(Reflect.get(Object(message), 'server'));
    };
    subscribe(name, hear);
  });
  await ask();
  return told;
}

async function post(body: string): Promise<unknown> {
  const response = await fetch(`${url}/echo`, { method: 'POST', body });
  return Object(await response.json()).body;
}
