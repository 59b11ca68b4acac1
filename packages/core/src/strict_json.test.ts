import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStrictJson } from './strict_json.ts';

const parse = (text: string, maxDepth?: number): unknown =>
  parseStrictJson(Buffer.from(text), maxDepth === undefined ? undefined : { maxDepth });

test('every kind of value', () => {
  for (const text of [
    '{}',
    '[]',
    '0',
    '-0',
    '""',
    'true',
    'false',
    'null',
    '[[],{}]',
    '{"a":[1,2.5,-3,1e3,100000]}',
    ' [ 1 , 2 ] ',
  ]) {
    assert.deepEqual(parse(text), JSON.parse(text), text);
  }
  assert.deepEqual(parse('{"é":"漢😀"}'), { é: '漢😀' });
});

test('a view into a larger buffer is read as what it shows', () => {
  const bytes = Buffer.from('xx{"a":1}xx');
  assert.deepEqual(parseStrictJson(bytes.subarray(2, 9)), { a: 1 });
  assert.deepEqual(parseStrictJson(new Uint8Array(bytes.subarray(2, 9))), { a: 1 });
});

test('duplicates, with anything that could hide them', () => {
  const texts = [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":1}',
    '{"é":1,"\\u00e9":1}',
    '[{"a":{},"b":0,"a":{}}]',
    '{"a":{"b":1,"b":2}}',
    // As long as the shortest text of { a: 1000000, b: 1 } would be.
    '{"a":1e6,"b":1,"b":1}',
    '{"n":1e15,"a":1,"a":""}',
    '{"":0,"":0}',
  ];
  for (const text of texts) assert.throws(() => parse(text), SyntaxError, text);
});

test('the depth is counted with the outermost', () => {
  assert.deepEqual(parse('[[1]]', 2), [[1]]);
  assert.throws(() => parse('[[[]]]', 2), SyntaxError);
  assert.throws(() => parse('{"a":{"b":{}}}', 2), SyntaxError);
  assert.throws(() => parse('['.repeat(5000) + ']'.repeat(5000)), SyntaxError);
  assert.equal(parse('"text"', 0), 'text');
});

test('no message holds a part of the text', () => {
  for (const text of [
    '{"secret":hunter2}',
    'hunter2',
    '{"hunter2":1,"hunter2":2}',
    '["hunter2\\ud800"]',
    '{"hunter2\\\\":1}',
  ]) {
    assert.throws(
      () => parse(text),
      (error: Error) => error instanceof SyntaxError && !error.stack?.includes('hunter2'),
    );
  }
});

test('a quote and a backslash as names are never taken for one another', () => {
  // V8 of Node 24 and 26 remembers the shape of the first and then reads the second wrongly.
  assert.throws(() => parse('{"a":null,"\\\\":null,"c":false}'), SyntaxError);
  for (let n = 0; n < 5; n++) {
    let value: unknown;
    try {
      value = parse('{"a":null,"\\"":"R","c":false}');
    } catch (error) {
      assert.ok(error instanceof SyntaxError);
      continue;
    }
    assert.deepEqual(value, { a: null, '"': 'R', c: false });
  }
});
