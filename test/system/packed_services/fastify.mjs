import { requireToken } from '@latchkey/core/fastify';
import { createVerifier } from '@latchkey/core/verifier';
import { fastify } from 'fastify';

const verifier = createVerifier({ issuer: process.env.ISSUER, audience: process.env.AUDIENCE });
const app = fastify();
app.get('/me', { onRequest: requireToken(verifier) }, async (request) =>
  JSON.stringify(request.auth.claims.preferred_username),
);
await verifier.ready();
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`port ${app.server.address().port}`);
