import { requireToken } from '@latchkey/core/http';
import { createVerifier } from '@latchkey/core/verifier';
import express from 'express';

const verifier = createVerifier({ issuer: process.env.ISSUER, audience: process.env.AUDIENCE });
const app = express();
app.get('/me', requireToken(verifier), (request, response) =>
  response.json(request.auth.claims.preferred_username),
);
await verifier.ready();
const server = app.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
