import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { valueOf } from '../../test/evaluate.ts';

test.each([
  ['"a😀b".indexOf("b")', 2],
  ['"a😀b".substring(1, 2)', '😀'],
  ['"a😀b".charAt(1)', '😀'],
  ['"a😀b".lastIndexOf("b", 2)', 2],
  ['"a😀b".split("")', ['a', '😀', 'b']],
  ['"a😀b".reverse()', 'b😀a'],
  ['"abc".substring(0, "abc".size())', 'abc'],
  ['"abc".substring(4)', 'out_of_range'],
  ['"aaa".replace("a", "b", 2)', 'bba'],
  ['"aa".replace("", "-")', '-a-a-'],
  ['"ÄB".lowerAscii()', 'Äb'],
  ['"%.2f|%e|%x|%s".format([1.005, 1234.5, 255, [1, "a"]])', '1.00|1.234500e+03|ff|[1, a]'],
  ['"%d".format(["x"])', 'wrong_type'],
  ['"%s".format([])', 'bad_value'],
])('SL-44 texts: %s is %j', (source, expected) => {
  expect(valueOf(source)).toEqual(expected);
});

test.each([
  ['math.greatest(1, 2.5, 2)', 2.5],
  ['math.least([3, 1, 2])', 1],
  ['math.greatest([])', 'missing_value'],
  ['math.round(-2.5)', -3],
  ['math.round(1.25, 1)', 1.3],
  ['[1, 2].sum() / 2.0', 1.5],
  ['[1, 2.5].sum()', 3.5],
  ['[].sum()', 0],
  ['["a"].sum()', 'wrong_type'],
  ['[3, 1.5, 2].sort()', [1.5, 2, 3]],
  ['[dyn(1), "a"].sort()', 'wrong_type'],
  ['[1, 1.0, 2].distinct()', [1, 2]],
  ['[{"a": 1}, {"a": 1}].distinct().size()', 1],
  ['[1u, dyn(1), dyn(1.0), dyn(1.5), dyn("1")].distinct().size()', 3],
  ['[null, dyn(null), dyn(timestamp(0)), dyn(date("1970-01-01"))].distinct().size()', 2],
  ['[].first()', 'missing_value'],
  ['default([].max(), 0)', 0],
  ['[1, 2].slice(1, 3)', 'out_of_range'],
  ['int(2.9)', 2],
  ['int("1.5")', 'bad_value'],
  ['int(1e30)', 'number_overflow'],
  ['double("0x10")', 'bad_value'],
  ['{1: "a", true: "b"}[true]', 'b'],
  ['{1: "a", 1: "b"}', 'bad_value'],
])('SL-44 numbers, lists and maps: %s is %j', (source, expected) => {
  expect(valueOf(source)).toEqual(expected);
});

const zoned: [string, unknown][] = [
  ['timestamp("2024-03-10T02:30:00Z").getHours()', 2],
  ['timestamp("2024-03-10T07:30:00Z").getHours("America/New_York")', 3],
  ['timestamp("2024-11-03T01:30:00Z").getDayOfYear()', 307],
  ['timestamp("2024-01-01T00:30:00Z").getFullYear("-01:00")', 2023],
  [
    'timestamp("2024-07-01T12:00:00Z").strftime("%a %e %b %Y %H:%M", "Europe/Berlin")',
    'Mon  1 Jul 2024 14:00',
  ],
  ['timestamp("2024-02-30T00:00:00Z")', 'bad_value'],
  ['timestamp("2024-02-28 00:00:00")', 'bad_value'],
  ['timestamp("2024-02-28T00:00:00")', 'bad_value'],
  ['timestamp("9999-12-31T23:00:00Z") + duration("2h")', 'out_of_range'],
  ['timestamp("2024-01-01T00:00:00Z").getHours("Mars/Base")', 'bad_value'],
  ['date("2024-05-01").strftime("%Q")', 'bad_value'],
  ['string(duration("-1.5s"))', '-1.5s'],
  ['duration("s")', 'bad_value'],
];

describe('SL-44 times do not depend on the zone of the machine', () => {
  test.each(zoned)('%s is %j', (source, expected) => {
    expect(valueOf(source)).toEqual(expected);
  });

  test.each(['America/New_York', 'Asia/Kolkata'])('in %s', (TZ) => {
    const script = `
      import { valueOf } from ${JSON.stringify(new URL('../../test/evaluate.ts', import.meta.url).href)};
      const sources = ${JSON.stringify(zoned.map(([source]) => source))};
      process.stdout.write(JSON.stringify(sources.map((source) => valueOf(source))));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TZ, NODE_OPTIONS: '' },
      encoding: 'utf8',
    });
    expect(JSON.parse(stdout)).toEqual(zoned.map(([, expected]) => expected));
  });
});
