import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CallReport } from './call.ts';
import {
  type AnsweringServer,
  clientOf,
  saying,
  startAnsweringServer,
  TOKEN,
} from '../testing/answering-server.ts';

let server: AnsweringServer;
const reports: CallReport[] = [];

beforeAll(async () => {
  server = await startAnsweringServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  reports.length = 0;
  server.requests.length = 0;
});

const read = () => clientOf(server.url, reports).getRecord('person', '7');
const write = (fields: Record<string, unknown> = { name: 'Ada Lovelace' }) =>
  clientOf(server.url, reports).createRecord('person', { body: fields });

const person = { id: 7, name: 'Ada', is_deleted: false };
const invalid = (error: string) => ({
  success: false,
  error,
  code: 'ERR_SCHEMA_VALIDATION_FAILED',
});

describe('an answer', () => {
  it('with a record is ok', async () => {
    server.answer(saying(200, { success: true, data: person }));
    expect(await read()).toMatchObject({
      outcome: 'ok',
      data: { id: '7', fields: { name: 'Ada' } },
    });
  });

  it.each([
    [401, { error: 'unauthorized access' }, { outcome: 'unauthorized' }],
    [403, { error: 'Scope and URL mismatch' }, { outcome: 'scope_missing' }],
    [
      403,
      { error: 'Open deals limit reached.', code: 'feature_capping_deals_limit' },
      { outcome: 'refused', status: 403, code: 'feature_capping_deals_limit' },
    ],
    [
      404,
      { error: 'Entity was not found' },
      { outcome: 'refused', status: 404, message: 'Entity was not found' },
    ],
    [402, {}, { outcome: 'refused', status: 402, message: 'Pipedrive answered 402' }],
    [410, 'gone', { outcome: 'refused', status: 410 }],
    [
      400,
      { status: 'error', errors: { subscription_url: ['invalid or non-reachable URL'] } },
      { outcome: 'refused', message: 'subscription_url: invalid or non-reachable URL' },
    ],
    [302, '', { outcome: 'refused', status: 302 }],
  ])('%i with %j did nothing and says why', async (status, body, outcome) => {
    server.answer(saying(status, body, { location: `${server.url}/elsewhere` }));
    expect(await write()).toMatchObject(outcome);
    expect(await read()).toMatchObject(outcome);
    expect(server.requests).toHaveLength(2);
  });

  it('403 with a page of HTML means the edge has blocked the credential', async () => {
    server.answer(
      saying(403, '<!DOCTYPE html><html>scope</html>', {
        'content-type': 'text/html; charset=UTF-8',
      }),
    );
    expect(await write()).toEqual({ outcome: 'blocked' });
  });

  it.each([500, 502, 503, 504])(
    '%i leaves a write unknown and a read unavailable',
    async (status) => {
      server.answer(saying(status, '<html>', {}));
      expect(await write()).toEqual({ outcome: 'unknown', cause: `http_${status}` });
      expect(await read()).toEqual({ outcome: 'unavailable', cause: `http_${status}` });
    },
  );

  it.each(['', '{"success":true', '{"success":true,"data":null}', '{"success":false}', '[]'])(
    '200 with %j leaves a write unknown: it was carried out, the id is lost',
    async (text) => {
      server.answer(saying(200, text));
      expect(await write()).toEqual({ outcome: 'unknown', cause: 'answer_unreadable' });
      expect(await read()).toEqual({ outcome: 'unavailable', cause: 'answer_unreadable' });
    },
  );

  it('larger than 16 MB is not read to its end', async () => {
    const chunk = 'x'.repeat(1024 * 1024);
    server.answer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"success":true,"data":{"id":7,"name":"');
      for (let sent = 0; sent < 17; sent += 1) response.write(chunk);
      response.end('"}}');
    });
    const patient = clientOf(server.url, reports, 5_000);
    expect(await patient.getRecord('person', '7')).toEqual({
      outcome: 'unavailable',
      cause: 'answer_unreadable',
    });
  });
});

describe('a limit', () => {
  it.each([
    [{ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2' }, 'burst', 2_000],
    [{ 'x-ratelimit-remaining': '0' }, 'burst', 1_000],
    [
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2', 'retry-after': '30' },
      'burst',
      30_000,
    ],
    [{ 'x-ratelimit-remaining': '11', 'retry-after': '3' }, 'daily', 900_000],
    [{ 'x-daily-ratelimit-token-remaining': '0', 'x-ratelimit-remaining': '0' }, 'daily', 900_000],
    [{ 'retry-after': '86400' }, 'unknown', 60_000],
    [{}, 'unknown', 2_000],
  ])('with headers %j is of kind %s, wait %i ms', async (headers, kind, retryAfterMs) => {
    server.answer(saying(429, '<html>', headers));
    expect(await write()).toEqual({ outcome: 'limited', kind, retryAfterMs });
    expect(reports.at(-1)?.limited).toEqual({ kind, retryAfterMs });
  });
});

describe('a limit on a search', () => {
  it.each([
    [{ 'x-ratelimit-remaining': '11' }, 'burst', 1_000],
    [{ 'x-ratelimit-remaining': '11', 'x-daily-ratelimit-token-remaining': '70' }, 'burst', 1_000],
    [{ 'x-daily-ratelimit-token-remaining': '0' }, 'daily', 900_000],
  ])('with headers %j is of kind %s', async (headers, kind, retryAfterMs) => {
    server.answer(saying(429, '<html>', headers));
    const searched = await clientOf(server.url, reports).searchPersonsByEmail('a@x.test');
    expect(searched).toEqual({ outcome: 'limited', kind, retryAfterMs });
  });
});

describe('no answer', () => {
  it('because nobody listens means nothing was sent', async () => {
    const closed = await startAnsweringServer();
    await closed.stop();
    const client = clientOf(closed.url);
    const refused = { outcome: 'not_sent', cause: 'ECONNREFUSED' };
    expect(await client.createRecord('person', { body: {} })).toEqual(refused);
    expect(await client.getRecord('person', '7')).toEqual(refused);
  });

  it('because TLS fails means nothing was sent', async () => {
    const plain = createServer((socket) => socket.end('no TLS here\r\n'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const address = plain.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const outcome = await clientOf(`https://127.0.0.1:${port}`).createRecord('person', {
      body: {},
    });
    plain.close();
    expect(outcome.outcome).toBe('not_sent');
  });

  it('after the request was cut off leaves a write unknown and a read unavailable', async () => {
    server.answer((request) => request.socket.destroy());
    expect(await write()).toMatchObject({ outcome: 'unknown' });
    expect(await read()).toMatchObject({ outcome: 'unavailable' });
  });

  it('in time leaves a write unknown and a read unavailable', async () => {
    server.answer(() => undefined);
    expect(await write()).toMatchObject({ outcome: 'unknown' });
    expect(await read()).toMatchObject({ outcome: 'unavailable' });
  });

  it('to its end, after headers of success, leaves a write unknown', async () => {
    server.answer((_, response) => {
      response.writeHead(201, { 'content-length': '1000' });
      response.write('{"success":true,"data":{"id":1');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await write()).toEqual({ outcome: 'unknown', cause: 'answer_unreadable' });
  });
});

describe('what is told of a refusal', () => {
  const hash = 'd4af0f2b1c3e5d7f9a8b6c4e2d0f1a3b5c7d9e8f';

  it('names the field but no value that was sent, no address, no token', async () => {
    const said = `Validation failed: custom_fields.${hash}: 'Ada Lovelace' of ada@x.test with ${TOKEN} and ${'k'.repeat(60)} is not allowed`;
    server.answer(saying(400, invalid(said)));
    const outcome = await write({ name: 'Ada Lovelace', emails: [{ value: 'ada@x.test' }] });
    expect(outcome).toEqual({
      outcome: 'refused',
      status: 400,
      code: 'ERR_SCHEMA_VALIDATION_FAILED',
      fieldCode: hash,
      message: `Validation failed: custom_fields.${hash}: '[value]' of [value] with [value] and [redacted] is not allowed`,
    });
  });

  it('finds a built-in field by its place in the message', async () => {
    server.answer(saying(400, invalid("Validation failed: shoe: Parameter 'shoe' is not allowed")));
    expect(await write()).toMatchObject({ fieldCode: 'shoe' });
  });

  it('is bounded', async () => {
    server.answer(saying(400, invalid('a b '.repeat(10_000))));
    const outcome = await write();
    expect(outcome.outcome === 'refused' && outcome.message.length).toBe(300);
  });
});

describe('every call', () => {
  it('is reported with its price, status and limits, and nothing else', async () => {
    server.answer(
      saying(
        200,
        { success: true, data: person },
        { 'x-ratelimit-remaining': '79', 'x-daily-ratelimit-token-remaining': '29995' },
      ),
    );
    await write();
    const [report] = reports;
    expect(report).toEqual({
      operation: 'addPerson',
      priceTokens: 5,
      status: 200,
      outcome: 'ok',
      limited: undefined,
      durationMs: expect.any(Number),
      limits: expect.objectContaining({ burstRemaining: 79, dailyTokensRemaining: 29_995 }),
    });
    expect(JSON.stringify(report)).not.toMatch(/Ada|token-that/);
  });

  it('carries an API token in its own header, never as a bearer token or in the address', async () => {
    server.answer(saying(200, { success: true, data: person }));
    await read();
    const [request] = server.requests;
    expect(request?.headers['x-api-token']).toBe(TOKEN);
    expect(request?.headers.authorization).toBeUndefined();
    expect(request?.url).toBe('/api/v2/persons/7');
  });

  it.each(['..', 'a/b', '', '7?x=1'])('refuses %j as an id before anything is sent', async (id) => {
    await expect(clientOf(server.url).deleteRecord('person', id)).rejects.toThrow(RangeError);
    expect(server.requests).toHaveLength(0);
  });
});
