import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const APPS = join(ROOT, 'apps');
const apps = readdirSync(APPS).filter((app) => existsSync(join(APPS, app, 'README.md')));
const sourcesIn = (folder: string): string =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
        .map((name) => readFileSync(join(folder, name), 'utf8'))
        .join('\n')
    : '';
const contracts = sourcesIn(join(ROOT, 'libs/contracts/src'));
const readmeOf = (app: string): string => readFileSync(join(APPS, app, 'README.md'), 'utf8');
const found = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].flatMap(([, name]) => name ?? []))].toSorted();

const isNamed = (app: string, name: string): boolean =>
  new RegExp(`[\`._]${name}\``).test(readmeOf(app));
const typeNameOf = (name: string): string =>
  name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

test.each(apps)('the README of %s names every variable it reads', (app) => {
  const config = readFileSync(join(APPS, app, 'src/config.ts'), 'utf8');
  const own = found(config, /^ {2,4}([A-Z][A-Z0-9_]+):/gm);
  expect(own.filter((name) => !isNamed(app, name))).toEqual([]);
  if (config.includes('serviceEnvironment')) {
    expect(readmeOf(app)).toMatch(/`DATABASE_URL`|that of every service/);
  }
});

test.each(apps)('the README of %s names every table it has, and none it has not', (app) => {
  const tables = found(sourcesIn(join(APPS, app, 'src/migrations')), /create table ([a-z_]+)/g);
  expect(tables.filter((name) => !isNamed(app, name))).toEqual([]);
  const [, line = ''] = /\*\*tables\*\*:? (.*(?:\n {2}.*)*)/i.exec(readmeOf(app)) ?? [];
  expect(found(line, /`([a-z_]+)`/g)).toEqual(tables);
});

test.each(apps)('the README of %s names every event it publishes and request it answers', (app) => {
  const events = found(contracts, new RegExp(`'${app}\\.([a-z_]+)\\.v\\d+'`, 'g'));
  expect(events.filter((name) => !isNamed(app, name))).toEqual([]);
  const requests = found(contracts, new RegExp(`'request\\.${app}\\.([a-z_]+)\\.v\\d+'`, 'g'));
  const isSaid = (name: string) => isNamed(app, name) || isNamed(app, typeNameOf(name));
  expect(requests.filter((name) => !isSaid(name))).toEqual([]);
});
