// `node bench/verify/verifier.ts`: verifySync of tokens seen before. 10,000 tokens in circulation, a fresh string made from bytes for
// every call, everything checked that a service checks: issuer, audience, times, marks, staleness. The verifier follows
// the signals of a real issuer, with no marks, with 10,000 marks of the kinds that miss, and with fixed keys.
import { randomUUID } from 'node:crypto';
import { exportPublicJwk } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { startIssuer } from '../../test/support/issuer.ts';

const circulating = 10_000;
const roundMs = 100;
const rounds = 31;

const issuer = await startIssuer({ heartbeat: 1_000 });
const tokens = Array.from({ length: circulating }, () => Buffer.from(issuer.token({ exp: now() + 3_000 })));
const common = { issuer: issuer.issuer, audience: issuer.audience };

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function perSecond(work: (token: string) => unknown) {
  const figures: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const end = performance.now() + roundMs;
    const start = performance.now();
    let calls = 0;
    while (performance.now() < end) {
      for (let at = 0; at < 1_000; at += 1) {
        const bytes = tokens[(calls + at * 7) % circulating] as Buffer;
        work(bytes.toString('latin1'));
      }
      calls += 1_000;
    }
    figures.push((calls * 1000) / (performance.now() - start));
  }
  figures.sort((a, b) => a - b);
  return { median: figures[rounds >> 1] as number, best: figures.at(-1) as number };
}

function report(name: string, work: (token: string) => unknown): void {
  const { median, best } = perSecond(work);
  const [middle, top] = [median, best].map((figure) => Math.round(figure).toLocaleString('en'));
  console.log(`${name.padEnd(32)} ${middle}/s, best round ${top}/s`);
}

function reportVerifier(name: string, verifier: Verifier): void {
  for (const bytes of tokens) verifier.verifySync(bytes.toString('latin1'));
  report(name, (token) => verifier.verifySync(token));
}

console.log(`node ${process.version}, tokens of ${tokens[0]?.length} bytes`);
report('making the string alone', (token) => token.length);
const fixed = createVerifier({ ...common, jwks: { keys: issuer.keys.map(exportPublicJwk) } });
reportVerifier('fixed keys', fixed);
const live = createVerifier(common);
await live.ready();
reportVerifier('live, no marks', live);
for (let at = 0; at < 2_500; at += 1) {
  issuer.lose({ by: 'sid', value: randomUUID() });
  issuer.lose({ by: 'jti', value: randomUUID() });
  issuer.lose({ by: 'sub', value: randomUUID(), below: 9 });
  issuer.lose({ by: 'sid', value: randomUUID(), until: Date.now() + 600_000 });
}
const marked = createVerifier(common);
await marked.ready();
reportVerifier(`live, ${marked.status().marks} marks`, marked);
for (const verifier of [fixed, live, marked]) verifier.close();
await issuer.close();
