import { createServer } from 'node:http';
import { authenticate } from '@latchkey/core/fetch';
import { createVerifier } from '@latchkey/core/verifier';

const verifier = createVerifier({ issuer: process.env.ISSUER, audience: process.env.AUDIENCE });
async function handle(request) {
  const outcome = await authenticate(request, verifier);
  return outcome.response ?? Response.json(outcome.auth.claims.preferred_username);
}
await verifier.ready();
const server = createServer(async (incoming, outgoing) => {
  const answer = await handle(new Request('http://service/me', { headers: incoming.headers }));
  outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
