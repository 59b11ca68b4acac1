// K02 (CVE-2025-64527, CVE-2024-45809): many requests while the key set is still on its way. Each is answered exactly once, with one
// fetch for all of them; when the set does not come within the deadline each hears "try again", not "invalid".
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerifier } from '@latchkey/core/verifier';
import { startIssuer } from '../support/issuer.ts';

test('1,000 parallel requests at cold start with a slow key set: one fetch, 1,000 answers', async () => {
  const issuer = await startIssuer();
  const { port } = new URL(issuer.issuer);
  issuer.answers.jwks = (_request, response) => {
    issuer.answers.jwks = undefined;
    setTimeout(() => {
      void fetch(`http://127.0.0.1:${port}/auth/.well-known/jwks.json`)
        .then((answer) => answer.text())
        .then((body) => response.writeHead(200, { 'content-type': 'application/json' }).end(body));
    }, 300);
  };
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience });
  try {
    const good = issuer.token();
    const bad = issuer.token({ aud: 'https://other.example' });
    const tokens = Array.from({ length: 1_000 }, (_, at) => (at % 2 === 0 ? good : bad));
    const answers = await Promise.allSettled(tokens.map((token) => verifier.verify(token)));
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 500);
    for (const answer of answers) {
      if (answer.status === 'rejected')
        assert.equal((answer.reason as { code: string }).code, 'wrong_audience');
    }
    assert.equal(verifier.status().jwksFetches, 1);
  } finally {
    verifier.close();
    await issuer.close();
  }
});

test('a key set that hangs: every request hears 503 after the deadline, and the next attempt serves', async () => {
  const issuer = await startIssuer();
  issuer.answers.jwks = () => {
    issuer.answers.jwks = undefined;
  };
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience });
  try {
    const token = issuer.token();
    const answers = await Promise.allSettled(Array.from({ length: 1_000 }, () => verifier.verify(token)));
    for (const answer of answers) {
      assert.equal(answer.status, 'rejected');
      assert.equal((answer.reason as { code: string }).code, 'unavailable');
    }
    await verifier.ready();
    assert.ok(await verifier.verify(token));
    assert.equal(issuer.counts.jwks, 2);
  } finally {
    verifier.close();
    await issuer.close();
  }
});
