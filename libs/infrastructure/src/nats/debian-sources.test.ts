import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findDebianSource, parseList, parseStanzas, renderSource } from './debian-sources.ts';

const MIRROR = 'http://mirror.example/debian';

test.each([
  ['a plain line', `deb ${MIRROR} bookworm main`, undefined],
  ['several components and a comment', `deb ${MIRROR} bookworm main contrib # local`, undefined],
  ['a named key', `deb [arch=amd64 signed-by=/k.gpg] ${MIRROR} stable main`, '/k.gpg'],
  [
    'the archive after its security one',
    `deb ${MIRROR}-security bookworm-security main\ndeb ${MIRROR} bookworm main`,
    undefined,
  ],
  [
    'a disc before the archive',
    `deb cdrom:[Debian]/ bookworm main\ndeb ${MIRROR} bookworm main`,
    undefined,
  ],
])('the one-line form gives the archive: %s', (_, text, signedBy) => {
  expect(parseList(text)).toEqual([{ uri: MIRROR, components: 'main', signedBy }]);
});

test.each([
  ['commented out', `# deb ${MIRROR} bookworm main`],
  ['source packages only', `deb-src ${MIRROR} bookworm main`],
  ['another distribution', 'deb http://mirror.example/ubuntu noble main'],
  ['another component', `deb ${MIRROR} bookworm contrib`],
  ['updates only', `deb ${MIRROR} bookworm-updates main`],
])('the one-line form gives nothing: %s', (_, text) => {
  expect(parseList(text)).toEqual([]);
});

test('the stanza form gives each enabled Debian archive with its key', () => {
  const inlineKey =
    '\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ\n -----END PGP PUBLIC KEY BLOCK-----';
  const text = [
    `Types: deb deb-src\n# a remark\nURIs: ${MIRROR}\nSuites: bookworm bookworm-updates\nComponents: main contrib\nSigned-By: /k.gpg`,
    `Types: deb\nURIs: ${MIRROR}-security\nSuites: bookworm-security\nComponents: main`,
    `Enabled: no\nTypes: deb\nURIs: ${MIRROR}\nSuites: bookworm\nComponents: main`,
    `Types: deb\nURIs: ${MIRROR}\nSuites: trixie\nComponents: main\nSigned-By:${inlineKey}`,
  ].join('\n\n');
  expect(parseStanzas(text)).toEqual([
    { uri: MIRROR, components: 'main', signedBy: '/k.gpg' },
    { uri: MIRROR, components: 'main', signedBy: inlineKey },
  ]);
});

test('what is rendered reads back as the same archive, in the new suite', () => {
  const source = { uri: MIRROR, components: 'main', signedBy: '/k.gpg' };
  const text = renderSource(source, 'trixie');
  expect(text).toContain('Suites: trixie');
  expect(parseStanzas(text)).toEqual([source]);
});

test('both forms are found in apt’s own folders', async () => {
  const aptDir = await mkdtemp(join(tmpdir(), 'manifold-test-apt-'));
  expect(await findDebianSource(aptDir)).toBeUndefined();

  await mkdir(join(aptDir, 'sources.list.d'));
  await writeFile(
    join(aptDir, 'sources.list.d/debian.sources'),
    `Types: deb\nURIs: ${MIRROR}/stanza\nSuites: bookworm\nComponents: main\n`,
  );
  expect((await findDebianSource(aptDir))?.uri).toBe(`${MIRROR}/stanza`);

  await writeFile(join(aptDir, 'sources.list'), `deb ${MIRROR}/line bookworm main\n`);
  expect((await findDebianSource(aptDir))?.uri).toBe(`${MIRROR}/line`);
  await rm(aptDir, { recursive: true });
});
