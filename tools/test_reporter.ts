// The reporter of `npm test`: a dot a test, every failure with its message and place, every skip with its reason, and
// one closing line. In CI a skipped test is a failure: the machine was to have what the test needs.
import type { TestEvent } from 'node:test/reporters';

interface Tally {
  passed: number;
  failed: number;
  skipped: string[];
}

function failureText(data: {
  name: string;
  file?: string;
  line?: number;
  details: { error: Error };
}): string {
  const cause = data.details.error.cause;
  const reason =
    cause instanceof Error ? (cause.stack ?? cause.message) : String(cause ?? data.details.error.message);
  return `\n\n✖ ${data.name}\n  ${data.file ?? ''}:${data.line ?? 0}\n  ${reason.replaceAll('\n', '\n  ')}\n`;
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const tally: Tally = { passed: 0, failed: 0, skipped: [] };
  let column = 0;
  for await (const event of source) {
    if (event.type === 'test:stderr' || event.type === 'test:stdout') {
      if (process.env['LATCHKEY_TEST_OUTPUT'] !== undefined) yield event.data.message;
      continue;
    }
    if (event.type === 'test:fail') {
      // A file or suite that fails only because a test inside it failed says nothing new.
      if ((event.data.details.error as { failureType?: string }).failureType === 'subtestsFailed') continue;
      tally.failed++;
      yield failureText(event.data);
      continue;
    }
    if (event.type !== 'test:pass' || event.data.details.type === 'suite') continue;
    if (event.data.skip !== undefined && event.data.skip !== false) {
      tally.skipped.push(`${event.data.name}: ${event.data.skip}`);
      yield 's';
    } else {
      tally.passed++;
      yield '.';
    }
    if (++column % 100 === 0) yield '\n';
  }
  for (const line of tally.skipped) yield `\nskipped  ${line}`;
  yield `\n\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped.length} skipped\n`;
  if (process.env['CI'] === 'true' && tally.skipped.length > 0) process.exitCode = 1;
}
