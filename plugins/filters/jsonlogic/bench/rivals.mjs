// The shapes of shapes.json in json-logic-engine (compiled) and json-logic-js, as JSON on stdout:
// nanoseconds an evaluation. Called by compare.py: node rivals.mjs SHAPES.json MODULES-DIRECTORY
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [shapesFile, modules] = process.argv.slice(2);
const require = createRequire(join(modules, 'package.json'));
const { LogicEngine } = require('json-logic-engine');
const jsonLogic = require('json-logic-js');
const input = JSON.parse(readFileSync(shapesFile, 'utf8'));
// Eight deltas in turns, so that nothing can be lifted out of the loop.
const deltas = Array.from({ length: 8 }, (_, i) => ({
  id: '1e20' + '0'.repeat(64),
  ...structuredClone(input.delta),
  timestamp: input.delta.timestamp + i,
}));
const delta = deltas[0];
let turn = 0;
const many = Array.from({ length: 1000 }, (_, i) =>
  JSON.parse(JSON.stringify(input.many[i % input.many.length]).replaceAll('#', String(i))));

let kept = 0; // so that no evaluation can be left out
function time(run, evaluations) {
  const median = [];
  for (let round = 0; round < 7; ++round) {
    let count = 1;
    for (;;) {
      const begin = process.hrtime.bigint();
      for (let i = 0; i < count; ++i) kept += run() ? 1 : 0;
      const took = Number(process.hrtime.bigint() - begin);
      if (took > 5e7) {
        median.push(took / count / evaluations);
        break;
      }
      count *= 2;
    }
  }
  return median.sort((a, b) => a - b)[3];
}

const engine = new LogicEngine();
const results = { 'json-logic-engine compiled': {}, 'json-logic-js': {} };
for (const [name, rule] of Object.entries(input.shapes)) {
  const compiled = engine.build(rule);
  if (!compiled(delta) || !jsonLogic.apply(rule, delta)) throw new Error(`${name} did not match`);
  results['json-logic-engine compiled'][name] = time(() => compiled(deltas[turn++ & 7]), 1);
  results['json-logic-js'][name] = time(() => jsonLogic.apply(rule, deltas[turn++ & 7]), 1);
}
const built = many.map((rule) => engine.build(rule));
const all = (evaluate) => () => many.reduce((sum, _, i) => sum + (evaluate(i) ? 1 : 0), 0);
results['json-logic-engine compiled']['1000 rules'] = time(all((i) => built[i](delta)), 1);
results['json-logic-js']['1000 rules'] = time(all((i) => jsonLogic.apply(many[i], delta)), 1);
console.log(JSON.stringify({ results, kept: kept > 0 }));
