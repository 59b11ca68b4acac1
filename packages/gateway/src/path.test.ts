import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { isPlainQuery, pathFault } from './path.ts';

it('takes paths with one reading', () => {
  for (const path of [
    '/',
    '/a',
    '/a/',
    '/a.b',
    '/a%20b',
    '/%C3%A9',
    '/a%25',
    '/~a_b-c',
    '/a:b@c,d=e',
    '/%f0%9f%98%80',
  ]) {
    assert.equal(pathFault(path), undefined, path);
  }
});

it('says what is wrong with others', () => {
  assert.match(pathFault('') ?? '', /start with a slash/);
  assert.match(pathFault('a') ?? '', /start with a slash/);
  assert.match(pathFault('//a') ?? '', /empty segment/);
  assert.match(pathFault('/a/../b') ?? '', /ends in a dot/);
  assert.match(pathFault('/a.') ?? '', /ends in a dot/);
  assert.match(pathFault('/%2') ?? '', /broken/);
  assert.match(pathFault('/%2F') ?? '', /must be bare or absent/);
  assert.match(pathFault('/%41') ?? '', /must be bare or absent/);
  assert.match(pathFault('/%2541') ?? '', /twice/);
  assert.match(pathFault('/%25u0041') ?? '', /twice/);
  assert.match(pathFault('/a%20/b') ?? '', /space/);
  assert.match(pathFault('/%c0%af') ?? '', /UTF-8/);
  assert.match(pathFault('/%c2%85') ?? '', /control/);
  assert.match(pathFault('/%ef%bc%8f') ?? '', /normalises/);
});

it('never takes a path that decodes to more segments, or to dot segments', () => {
  const piece = fc.constantFrom(
    '/',
    '.',
    '%',
    '2',
    '5',
    'e',
    'f',
    'c',
    'a',
    ';',
    '\\',
    '%2e',
    '%2f',
    '%25',
    '%5c',
    '%c0%af',
    '?',
    '#',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const path = `/${pieces.join('')}`;
      if (pathFault(path) !== undefined) return;
      const decoded = decodeURIComponent(path);
      assert.equal(decoded.split('/').length, path.split('/').length);
      assert.equal(new URL(`http://a${path}`).pathname, path, 'a URL parser reads the same path');
      assert.ok(!/(^|\/)\.{1,2}(\/|$)|[\\;#?]/.test(decoded));
    }),
    { seed: 7, numRuns: 5_000 },
  );
});

it('takes any visible query without a fragment', () => {
  assert.ok(isPlainQuery('a=1&b=/../%2f;\\|\'"<>'));
  for (const query of ['a#b', 'a b', 'a\tb', '\u00e9', 'a\0']) assert.ok(!isPlainQuery(query));
});
