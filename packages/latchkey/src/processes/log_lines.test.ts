import assert from 'node:assert/strict';
import test from 'node:test';
import { formatLogLine, lineSplitter, readLogLine } from './log_lines.ts';

test('lines are put together again however they were cut', () => {
  const lines: string[] = [];
  const take = lineSplitter((line) => lines.push(line));
  for (const chunk of ['on', 'e\ntw', 'o\n\nthree', '\n', 'not ended']) take(chunk);
  assert.deepEqual(lines, ['one', 'two', 'three']);
});

test('a line of pino becomes its message and its plain fields', () => {
  const line = readLogLine(
    '{"level":50,"time":1,"pid":2,"hostname":"h","msg":"it broke","upstream":"a","err":{"message":"why","stack":"s"},"req":{"x":1}}',
    'out',
  );
  assert.deepEqual(line, { level: 50, text: 'it broke  upstream=a  err=why' });
});

test('other text counts as a warning when it comes on standard error', () => {
  assert.equal(readLogLine('plain', 'out').level, 30);
  assert.equal(readLogLine('plain', 'err').level, 40);
  assert.deepEqual(readLogLine('{not json', 'err'), { level: 40, text: '{not json' });
});

test('what a child writes cannot move the cursor', () => {
  const shown = formatLogLine('svc', 8, { level: 40, text: 'a\u001b[2Jb\rc' });
  assert.match(shown, /svc {5} {2}warn {3}a\\u001b\[2Jb\\u000dc$/);
});
