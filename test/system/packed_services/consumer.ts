// Compiled, never run: what a TypeScript project sees of the published packages.
import * as client from '@latchkey/client';
import { type AccessTokenClaims, hasPermission, type JwkSet, verifyJws } from '@latchkey/core';
import { requireToken as inFastify } from '@latchkey/core/fastify';
import { authenticate } from '@latchkey/core/fetch';
import { requireToken } from '@latchkey/core/http';
import { createVerifier } from '@latchkey/core/verifier';
import { createGateway } from '@latchkey/gateway';
import { createAuthServer } from '@latchkey/server';
import { defineConfig } from 'latchkey';

const verifier = createVerifier({
  issuer: 'https://id.example.com/auth',
  audience: 'https://id.example.com',
});
export const guards = [requireToken(verifier), inFastify(verifier)];
export const parts = [client, createGateway, createAuthServer, authenticate];
export const check = (token: string, keys: JwkSet) =>
  verifyJws(token, keys, { algorithms: ['ES256'] }).header.alg;
export const reads = (claims: AccessTokenClaims) => hasPermission(claims, 'records:read');

export default defineConfig({
  accessTokenLife: '5m',
  limits: { attemptWindow: '15m' },
  customClaims: (user) => ({ tenant: user.username }),
  routes: [{ prefix: '/api', upstreams: ['http://127.0.0.1:4101'], access: { permission: 'records:read' } }],
});

// @ts-expect-error there is no such setting
defineConfig({ prot: 8080 });
