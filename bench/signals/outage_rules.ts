// What a gateway must decide when it hears nothing any more (design, section 6), as a table of its own: nothing here is taken from the code
// that is judged. `age` is that of the last word of the issuer.
import type { Answer } from '../harness/http_connection.ts';
import { type Door, reasonOf } from './probes.ts';

export type TokenKind = 'good' | 'revoked' | 'stale' | 'forged' | 'none';

export const tokenKinds: readonly TokenKind[] = ['good', 'revoked', 'stale', 'forged', 'none'];
export const doors: readonly Door[] = ['/normal', '/sensitive', '/open'];

const sensitiveLimit = 10_000;
/** The larger of the token life and five minutes. */
const normalLimit = 300_000;

/** Milliseconds, on both sides of each limit; the last while the tokens still live within the tolerance for clocks. */
export const ages: readonly number[] = [500, 5_000, 9_990, 10_010, 60_000, 299_990, 300_010, 315_000];

/** Undefined when the answer is the right one, or what is wrong with it. */
export function judge(answer: Answer, door: Door, kind: TokenKind, age: number): string | undefined {
  const said = `${answer.status} ${reasonOf(answer) ?? ''}`.trim();
  const right = expected(door, kind, age).includes(said);
  return right ? undefined : `${kind} token at ${door}, ${age} ms after the last word: ${said}`;
}

function expected(door: Door, kind: TokenKind, age: number): readonly string[] {
  if (door === '/open') return ['200'];
  if (kind === 'none') return ['401 missing'];
  if (kind === 'forged') return ['401 invalid'];
  const cutOff = age > (door === '/sensitive' ? sensitiveLimit : normalLimit);
  if (kind === 'good') return [cutOff ? '503 signals_stale' : '200'];
  // What is known to be dead stays dead. Beyond the limit both refusals are true, and either may be said.
  return cutOff ? [`401 ${kind}`, '503 signals_stale'] : [`401 ${kind}`];
}
