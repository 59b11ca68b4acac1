// `node bench/verify/verifier.ts`: verifySync of tokens seen before. 10,000 tokens in circulation, a fresh string made from bytes for
// every call, everything checked that a service checks: issuer, audience, times, marks, staleness. The verifier follows
// the signals of a real issuer, with no marks, with 10,000 marks of the kinds that miss, and with fixed keys.
import { randomUUID } from 'node:crypto';
import { exportPublicJwk } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { startIssuer } from '../../test/support/issuer.ts';

const circulating = 10_000;
const roundMs = 1_000;
const rounds = 5;

const issuer = await startIssuer({ heartbeat: 1_000 });
const tokens = Array.from({ length: circulating }, () => Buffer.from(issuer.token({ exp: now() + 3_000 })));
const common = { issuer: issuer.issuer, audience: issuer.audience };

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function perSecond(work: (token: string) => unknown): number {
  const figures: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const end = performance.now() + roundMs;
    const start = performance.now();
    let calls = 0;
    while (performance.now() < end) {
      for (let at = 0; at < 1_000; at += 1) {
        const bytes = tokens[(calls + at * 7) % circulating] as Buffer;
        work(bytes.toString("latin1"));
      }
      calls += 1_000;
    }
    figures.push((calls * 1000) / (performance.now() - start));
  }
  return figures.sort((a, b) => a - b)[rounds >> 1] as number;
}

function report(name: string, verifier: Verifier): void {
  for (const bytes of tokens) verifier.verifySync(bytes.toString('latin1'));
  console.log(
    `${name.padEnd(32)} ${Math.round(perSecond((token) => verifier.verifySync(token))).toLocaleString('en')}/s`,
  );
}

console.log(`node ${process.version}, tokens of ${tokens[0]?.length} bytes`);
console.log(
  `${'making the string alone'.padEnd(32)} ${Math.round(perSecond((token) => token.length)).toLocaleString('en')}/s`,
);
const fixed = createVerifier({ ...common, jwks: { keys: issuer.keys.map(exportPublicJwk) } });
report('fixed keys', fixed);
const live = createVerifier(common);
await live.ready();
report('live, no marks', live);
for (let at = 0; at < 2_500; at += 1) {
  issuer.lose({ by: 'sid', value: randomUUID() });
  issuer.lose({ by: 'jti', value: randomUUID() });
  issuer.lose({ by: 'sub', value: randomUUID(), below: 9 });
  issuer.lose({ by: 'sid', value: randomUUID(), until: Date.now() + 600_000 });
}
const marked = createVerifier(common);
await marked.ready();
report(`live, ${marked.status().marks} marks`, marked);
for (const verifier of [fixed, live, marked]) verifier.close();
await issuer.close();
