// What the log says when news of revocations stop coming: each change once, in words that name the consequence.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { VerifierStatus } from '@latchkey/core/verifier';
import { until } from '../test_support/stage.ts';
import { watchNews } from './news.ts';
import type { GatewayVerifier } from './options.ts';

it('says each change once, and nothing before the first news', async (t) => {
  let status = {
    ready: false,
    staleForMs: Number.POSITIVE_INFINITY,
    decides: { normal: false, sensitive: false },
  };
  let looks = 0;
  const verifier = {
    status() {
      looks += 1;
      return status as VerifierStatus;
    },
  } as GatewayVerifier;
  const lines: string[] = [];
  const write = (level: string) => (_fields: object, message: string) =>
    void lines.push(`${level} ${message}`);
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  t.after(watchNews(verifier, log, 1));
  const looked = async () => {
    const before = looks;
    await until(() => looks > before + 2);
  };
  await looked();
  for (const [normal, sensitive] of [
    [true, true],
    [true, false],
    [false, false],
    [true, true],
  ] as const) {
    status = { ready: true, staleForMs: 12_000, decides: { normal, sensitive } };
    await looked();
  }
  assert.deepEqual(lines, [
    'warn no news of revocations: sensitive routes are refused',
    'error no news of revocations for too long: guarded routes are refused',
    'info news of revocations come again',
  ]);
});
