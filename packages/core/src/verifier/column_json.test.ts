import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createColumnJson } from './column_json.ts';

function parse(text: string | Uint8Array, cuts: readonly number[] = []): unknown {
  const bytes = Buffer.from(text);
  const json = createColumnJson();
  let start = 0;
  for (const cut of [...cuts.map((part) => Math.floor(part * bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  )) {
    json.push(bytes.subarray(start, cut));
    start = cut;
  }
  return json.end();
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

test('any document, however its bytes are cut, is what `JSON.parse` makes of it', () => {
  const odd = fc.constantFrom('"', '\\', '],', null);
  const column = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), odd, fc.jsonValue()));

  const group = fc.dictionary(
    fc.constantFrom('kind', 'values', '__proto__', 'until'),
    fc.oneof(fc.string(), column),
  );
  const snapshot = fc.record({ seq: fc.nat(), marks: fc.array(group) });
  const space = fc.constantFrom(undefined, 1, '\n\t');
  fc.assert(
    fc.property(fc.oneof(snapshot, fc.jsonValue({ maxDepth: 7 })), space, cuts, (value, indent, at) => {
      const text = JSON.stringify(value, undefined, indent).replaceAll('\ufffd', '?');
      assert.deepStrictEqual(parse(text, at), JSON.parse(text));
    }),
    { seed: 7, numRuns: 2_000 },
  );
});

test('what `JSON.parse` refuses is refused', () => {
  const around = (column: string): string => `{"marks":[{"values":${column}}]}`;
  assert.deepEqual(parse(around('[ ]'), [0.1, 0.5]), { marks: [{ values: [] }] });
  const bad = [
    ...[
      '[,]',
      '[1,]',
      '[,1]',
      '[1,,2]',
      '[1 2]',
      '[1',
      '[1]]',
      '[1}',
      '{1]',
      '["a]',
      '[tru]',
      '[[1],]',
      '[[1}]',
      '[{]}]',
      '[1}]',
    ].map(around),
    ...['', ' ', '[', ']', '{}x', '{"a":1,}', '[[[[1]]]', '[[[[1]]]]]', '][[[[[1]]]]', 'nul'],
  ];
  for (const text of bad) {
    assert.throws(() => JSON.parse(text), SyntaxError, text);
    for (const at of [[], [0.2, 0.4, 0.6, 0.8]]) assert.throws(() => parse(text, at), SyntaxError, text);
  }
  const broken = Buffer.from(around('["x"]'));
  broken[broken.indexOf('x')] = 0xff;
  assert.throws(() => parse(broken), SyntaxError);
});

test('long columns, in one chunk or many', () => {
  const values = Array.from({ length: 50_000 }, (_, at) => `value ${at}, "quoted" [${at}]`);
  const text = JSON.stringify({ marks: [{ values, until: values.map((_, at) => at) }, { values: [] }] });
  for (const at of [[], [0.5], Array.from({ length: 100 }, (_, part) => part / 100)])
    assert.deepEqual(parse(text, at), JSON.parse(text));
});
