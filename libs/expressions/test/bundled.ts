import { startEvaluator } from '../src/index.ts';

/** A service that has nothing but an expression; `bundle.test.ts` bundles and runs it. */
const evaluator = startEvaluator();
const rows = await evaluator.evaluate({
  variables: { _domain: { fields: { technologies: { list: 'any' } } } },
  expressions: [{ source: 'has(_domain.technologies) ? _domain.technologies.size() : 0' }],
  records: [{ _domain: { technologies: ['a', 'b'] } }],
});
process.stdout.write(JSON.stringify(rows));
await evaluator.stop();
