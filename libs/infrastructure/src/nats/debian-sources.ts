import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One archive the machine already takes packages from. */
export type DebianSource = {
  uri: string;
  components: string;
  /** A key file or an inline key, as the machine has it. */
  signedBy: string | undefined;
};

const DEBIAN_SUITES = new Set(
  ['bullseye', 'bookworm', 'trixie', 'forky', 'sid'].concat([
    'oldoldstable',
    'oldstable',
    'stable',
    'testing',
    'unstable',
  ]),
);

/** Debian's main archive as the machine reaches it: from `sources.list`, `*.list` and `*.sources`. */
export async function findDebianSource(aptDir: string): Promise<DebianSource | undefined> {
  const parts = join(aptDir, 'sources.list.d');
  const names = (await readdir(parts).catch(() => [])).toSorted((a, b) => a.localeCompare(b));
  const lists = [
    join(aptDir, 'sources.list'),
    ...names.filter((name) => name.endsWith('.list')).map((name) => join(parts, name)),
  ];
  const stanzas = names
    .filter((name) => name.endsWith('.sources'))
    .map((name) => join(parts, name));
  const found = [
    ...(await readAll(lists)).flatMap(parseList),
    ...(await readAll(stanzas)).flatMap(parseStanzas),
  ];
  return found[0];
}

/** The same archive with another suite, in apt's own stanza form. */
export const renderSource = ({ uri, components, signedBy }: DebianSource, suite: string): string =>
  [
    'Types: deb',
    `URIs: ${uri}`,
    `Suites: ${suite}`,
    `Components: ${components}`,
    ...(signedBy === undefined ? [] : [`Signed-By: ${signedBy}`]),
    '',
  ].join('\n');

/** The one-line form: `deb [signed-by=… arch=…] uri suite component…`. */
export function parseList(text: string): DebianSource[] {
  return text.split('\n').flatMap((line) => {
    const [, options = '', uri = '', suite = '', components = ''] =
      /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line) ?? [];
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    return sourceFrom({ uris: [uri], suites: [suite], components, signedBy });
  });
}

/** The stanza form (deb822): fields, continuation lines, blank lines between stanzas. */
export function parseStanzas(text: string): DebianSource[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .split(/\n[ \t]*\n/)
    .flatMap((stanza) => {
      const fields = fieldsOf(stanza);
      const words = (name: string) => (fields.get(name) ?? '').split(/\s+/).filter(Boolean);
      if (
        !words('types').includes('deb') ||
        /^(no|false|0|off)$/i.test(fields.get('enabled') ?? '')
      )
        return [];
      return sourceFrom({
        uris: words('uris'),
        suites: words('suites'),
        components: words('components').join(' '),
        signedBy: fields.get('signed-by'),
      });
    });
}

function fieldsOf(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, name = '', value = ''] of stanza.matchAll(
    /^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t]+.*)*)/gm,
  )) {
    fields.set(name.toLowerCase(), value.trimEnd());
  }
  return fields;
}

function sourceFrom(entry: {
  uris: string[];
  suites: string[];
  components: string;
  signedBy: string | undefined;
}): DebianSource[] {
  const { uris, suites, components, signedBy } = entry;
  const hasMain = components.split(/\s+/).includes('main');
  if (!hasMain || !suites.some((suite) => DEBIAN_SUITES.has(suite))) return [];
  // security updates live in an archive of their own, without most packages
  const uri = uris.find(
    (each) => !each.startsWith('cdrom:') && !/debian-security|security\.debian/.test(each),
  );
  return uri === undefined ? [] : [{ uri, components: 'main', signedBy }];
}

async function readAll(files: string[]): Promise<string[]> {
  return Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
}
