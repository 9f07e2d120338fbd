import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { listBreakingChanges } from './breaking.ts';
import { type Composition, composeSupergraph } from './compose.ts';
import { listUndescribed } from './descriptions.ts';

const root = join(import.meta.dirname, '../../..');
const target = 'apps/gateway/supergraph.graphql';
const { values: flags } = parseArgs({
  options: { check: { type: 'boolean' }, breaking: { type: 'boolean' } },
});

const composition = composeSupergraph(root);
const problems = composition.outcome === 'failed' ? composition.problems : problemsOf(composition);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(flags.check ? `${target} is fresh` : `${target} written`);

function problemsOf(composed: Extract<Composition, { outcome: 'composed' }>): string[] {
  const before = flags.breaking ? supergraphInGit() : undefined;
  const broken = before === undefined ? [] : listBreakingChanges(before, composed.supergraphSdl);
  if (!flags.check) {
    writeFileSync(join(root, target), composed.supergraphSdl);
    return broken;
  }
  const undescribed = listUndescribed(composed.apiSchema);
  return [
    ...broken,
    ...(readTarget() === composed.supergraphSdl ? [] : [`${target} is stale: npm run compose`]),
    ...undescribed.map((coordinate) => `${coordinate} has no description`),
  ];
}

function readTarget(): string | undefined {
  try {
    return readFileSync(join(root, target), 'utf8');
  } catch {
    return undefined;
  }
}

/** Undefined before the first commit. */
function supergraphInGit(): string | undefined {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    return execFileSync('git', ['show', `HEAD:${target}`], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 16 * 1024 * 1024,
      stdio: [...stdio],
    });
  } catch {
    return undefined;
  }
}
