// GET /auth/openapi.json, and /auth/docs: a page to try every call. The page is our own, holds its tokens in memory, and
// runs under a policy that allows nothing but its own three files and calls to this origin.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { openApiDocument } from '../http/openapi.ts';
import { Type } from '../http/schema.ts';

export interface OpenApiEndpointsOptions {
  /** The public origin. */
  readonly origin: string;
  /** Every endpoint that is served, these included. */
  readonly endpoints: () => readonly AnyEndpoint[];
}

const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

interface Text {
  readonly body: string;
  readonly etag: string;
}

/** Made on first use and kept. */
function once(make: () => string): () => Text {
  let text: Text | undefined;
  return () => {
    if (text === undefined) {
      const body = make();
      text = { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
    }
    return text;
  };
}

function readAsset(name: string): string {
  return readFileSync(new URL(`../docs_page/${name}`, import.meta.url), 'utf8');
}

function sendText(request: FastifyRequest, reply: FastifyReply, { body, etag }: Text, type: string) {
  reply.headers({ etag, 'cache-control': 'no-cache' });
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  return reply.type(`${type}; charset=utf-8`).serializer(String).send(body);
}

export function openApiEndpoints(options: OpenApiEndpointsOptions): AnyEndpoint[] {
  return [
    document(options),
    asset('/auth/docs', 'page.html', 'text/html', 'A page that shows every call and lets one try it'),
    asset('/auth/docs/page.js', 'page.js', 'text/javascript', 'The script of that page'),
    asset('/auth/docs/page.css', 'page.css', 'text/css', 'The style of that page'),
  ];
}

function document({ origin, endpoints }: OpenApiEndpointsOptions): AnyEndpoint {
  const text = once(() => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    return JSON.stringify(openApiDocument(endpoints(), { origin, version }));
  });
  return endpoint({
    method: 'GET',
    path: '/auth/openapi.json',
    access: 'public',
    tag: 'Documentation',
    summary: 'This document',
    responses: { 200: Type.Unsafe<string>({ type: 'object', required: ['openapi'] }), 304: null },
    async handle({ request, reply }) {
      reply.header('access-control-allow-origin', '*');
      return sendText(request, reply, text(), 'application/json');
    },
  });
}

function asset(path: string, file: string, type: string, summary: string): AnyEndpoint {
  const text = once(() => readAsset(file));
  return endpoint({
    method: 'GET',
    path,
    access: 'public',
    tag: 'Documentation',
    summary,
    ignoresUnknown: true,
    responses: { 200: Type.String({ contentMediaType: type }), 304: null },
    async handle({ request, reply }) {
      reply.header('content-security-policy', contentPolicy);
      return sendText(request, reply, text(), type);
    },
  });
}
