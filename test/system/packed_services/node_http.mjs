import { createServer } from 'node:http';
import { requireToken } from '@latchkey/core/http';
import { createVerifier } from '@latchkey/core/verifier';

const verifier = createVerifier({ issuer: process.env.ISSUER, audience: process.env.AUDIENCE });
const guard = requireToken(verifier);
const server = createServer(async (request, response) => {
  const auth = await guard(request, response);
  if (auth !== undefined) response.end(JSON.stringify(auth.claims.preferred_username));
});
await verifier.ready();
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
