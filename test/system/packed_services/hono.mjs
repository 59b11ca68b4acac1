import { serve } from '@hono/node-server';
import { requireToken } from '@latchkey/core/fetch';
import { createVerifier } from '@latchkey/core/verifier';
import { Hono } from 'hono';

const verifier = createVerifier({ issuer: process.env.ISSUER, audience: process.env.AUDIENCE });
const app = new Hono();
app.get('/me', requireToken(verifier), (c) => c.json(c.get('auth').claims.preferred_username));
await verifier.ready();
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log(`port ${port}`));
