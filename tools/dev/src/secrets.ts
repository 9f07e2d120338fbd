import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { services } from '@manifold/contracts';
import { z } from 'zod';

/** Keys of one development installation, made at its first start and kept 0600. */
const Secrets = z.object({
  masterKey: z.string(),
  identity: z.object({ privateKey: z.string(), publicKey: z.string() }),
  ownerApiKey: z.string(),
  /** Keys of the other demo users, once they exist. */
  userApiKeys: z.record(z.string(), z.string()).default({}),
  oauthClientSecret: z.string(),
  natsPasswords: z.record(z.string(), z.string()),
  databasePasswords: z.record(z.string(), z.object({ owner: z.string(), app: z.string() })),
});
export type Secrets = z.infer<typeof Secrets>;

const secret = (bytes = 24): string => randomBytes(bytes).toString('base64url');

/** Reads the installation's keys, or makes them. `MASTER_KEY` in the environment wins. */
export async function readSecrets(home: string, env: NodeJS.ProcessEnv): Promise<Secrets> {
  const file = join(home, 'secrets.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const secrets = text === undefined ? makeSecrets() : Secrets.parse(JSON.parse(text));
  if (text === undefined) await saveSecrets(home, secrets);
  return { ...secrets, masterKey: env['MASTER_KEY'] ?? secrets.masterKey };
}

/** Writes the keys whole or not at all. */
export async function saveSecrets(home: string, secrets: Secrets): Promise<void> {
  await writePrivately(join(home, 'secrets.json'), `${JSON.stringify(secrets, null, 2)}\n`);
}

/** Replaces a file in one step, readable by its owner only. */
export async function writePrivately(file: string, text: string): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function makeSecrets(): Secrets {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const users = [...services, 'gateway', 'subscriber'];
  return {
    masterKey: randomBytes(32).toString('base64'),
    identity: { privateKey, publicKey },
    ownerApiKey: `mf_${secret(32)}`,
    userApiKeys: {},
    oauthClientSecret: secret(),
    natsPasswords: Object.fromEntries(users.map((user) => [user, secret()])),
    databasePasswords: Object.fromEntries(
      services.map((service) => [service, { owner: secret(), app: secret() }]),
    ),
  };
}
