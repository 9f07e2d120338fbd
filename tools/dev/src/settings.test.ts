import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { HELP, PORT_VARIABLES, readSettings, requirePorts } from './settings.ts';

test('ports have usual values and can be set one by one', async () => {
  const { ports, empty } = await readSettings(['--empty'], { CONTACTS_PORT: '5004' });
  expect(empty).toBe(true);
  expect(ports).toMatchObject({ gateway: 4000, contacts: 5004 });
});

test('0 means any free port', async () => {
  const { ports } = await readSettings([], { GATEWAY_PORT: '0' });
  expect(ports.gateway).toBeGreaterThan(1023);
});

test.each(['abc', '-1', '70000'])('%s is refused as a port, naming the variable', async (text) => {
  await expect(readSettings([], { AUDIT_PORT: text })).rejects.toThrow(`AUDIT_PORT=${text}`);
});

test('a taken port is reported with its number and the variable that changes it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const settings = await readSettings([], {
    ...Object.fromEntries(PORT_VARIABLES.map((variable) => [variable, '0'])),
    REFERRALS_PORT: String(port),
  });
  await expect(requirePorts(settings)).rejects.toThrow(
    new RegExp(`Port ${port} .* choose another with REFERRALS_PORT`),
  );
  server.close();
});

test.each([
  [{}, 'http://localhost:3000,http://127.0.0.1:3000'],
  [{ RETURN_URLS: 'http://localhost:5173/done' }, 'http://localhost:5173/done'],
])('where browsers may be sent after consenting: %o', async (env, returnUrls) => {
  expect((await readSettings([], env)).returnUrls).toBe(returnUrls);
  expect(HELP).toContain('RETURN_URLS');
});

test('an unknown option is refused by name', async () => {
  await expect(readSettings(['--emtpy'], {})).rejects.toThrow('--emtpy');
});

test('one port chosen for two parts is refused', async () => {
  await expect(readSettings([], { GATEWAY_PORT: '4001' })).rejects.toThrow(
    'Port 4001 is chosen twice; give WORKSPACES_PORT another.',
  );
});
