/** Who may import whom. Each rule reads as a sentence; `npm run lint` prints the one you broke. */
const test = '\\.test\\.ts$';
const edges = '(resolvers|consumers|responders)';

module.exports = {
  forbidden: [
    {
      name: 'apps-never-import-apps',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-never-import-apps-or-tools',
      comment: 'The test libraries may use the local Pipedrive.',
      severity: 'error',
      from: { path: '^libs/', pathNot: ['^libs/testing/', test] },
      to: { path: '^(apps|tools)/' },
    },
    {
      name: 'apps-never-import-tools',
      severity: 'error',
      from: { path: '^apps/', pathNot: test },
      to: { path: '^tools/' },
    },
    {
      name: 'contracts-import-only-zod',
      severity: 'error',
      from: { path: '^libs/contracts/', pathNot: test },
      to: { pathNot: ['^libs/contracts/', 'node_modules/zod'] },
    },
    {
      name: 'libs-are-imported-by-name',
      severity: 'error',
      from: { path: '^(apps|libs|tools)/([^/]+)/' },
      to: { path: '^libs/([^/]+)/src/(?!index\\.ts$)', pathNot: '^$1/$2/' },
    },
    {
      name: 'only-tests-import-testing',
      severity: 'error',
      from: { pathNot: [test, '^libs/(testing|infrastructure)/', '^tools/'] },
      to: { path: '^libs/(testing|infrastructure)/' },
    },
    {
      name: 'rules-are-pure',
      severity: 'error',
      from: { path: '^apps/.+/rules\\.ts$' },
      to: {
        pathNot: ['^libs/(contracts|errors|mapping|expressions)/', '^apps/'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'rules-know-no-rooms',
      severity: 'error',
      from: { path: '^apps/.+/rules\\.ts$' },
      to: { path: '^apps/', pathNot: '/rules\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pure-libs-are-pure',
      severity: 'error',
      from: { path: '^libs/(mapping|expressions|errors)/', pathNot: test },
      to: {
        path: [
          '^libs/(database|messaging|pipedrive|service|subgraph)/',
          'node_modules/(pg|kysely|undici|@nats-io)',
        ],
      },
    },
    {
      name: 'expressions-need-no-threads',
      comment: 'The room `pool` needs them, and what is outside knows of it by the door only.',
      severity: 'error',
      from: {
        path: '^libs/expressions/src/',
        pathNot: ['^libs/expressions/src/(pool/|index\\.ts$)', test],
      },
      to: { path: ['^libs/expressions/src/pool/', '^(node:)?worker_threads$'] },
    },
    {
      name: 'sql-lives-in-store-and-migrations',
      severity: 'error',
      from: { path: '^apps/', pathNot: ['/store\\.ts$', '/migrations/', test] },
      to: { path: 'node_modules/(kysely|pg)/' },
    },
    {
      name: 'edges-never-import-edges',
      severity: 'error',
      from: { path: `^apps/.+/${edges}\\.ts$` },
      to: { path: `^apps/.+/(${edges}|main)\\.ts$` },
    },
    {
      name: 'only-connections-calls-pipedrive',
      severity: 'error',
      from: { path: '^apps/', pathNot: '^apps/connections/' },
      to: { path: '^libs/pipedrive/' },
    },
    {
      name: 'sandbox-stands-alone',
      severity: 'error',
      from: { path: '^tools/pipedrive-sandbox/' },
      to: { path: '^(apps|libs)/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
