// The OpenAPI document is well formed, its schemas are JSON Schema 2020-12, docs/api.md shows exactly its calls (threat A09),
// and the page that tries them holds to its policy.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { newValidator, type OpenApiDocument, operationTable } from '../support/openapi.ts';

let server: TestAuthServer;
let document: OpenApiDocument;

before(async () => {
  server = await startAuthServer({ registration: true });
  document = (await server.call('GET', '/auth/openapi.json')).body as unknown as OpenApiDocument;
});
after(() => server.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([verb, operation]) => ({ path, verb, operation })),
  );

/** Every value under a member of this name, wherever it stands. */
function collect(value: unknown, member: string, found: unknown[] = []): unknown[] {
  if (typeof value !== 'object' || value === null) return found;
  for (const [name, inner] of Object.entries(value)) {
    if (name === member) found.push(inner);
    collect(inner, member, found);
  }
  return found;
}

test('operations: ids are unique, parameters are those of the path, security names what exists', () => {
  assert.match(document.openapi, /^3\.1\./);
  const ids = operations().map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const { path, verb, operation } of operations()) {
    const words = `${verb} ${path}`;
    assert.ok(path.startsWith('/') && ['get', 'post', 'put', 'patch', 'delete'].includes(verb), words);
    const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    assert.deepEqual(
      inPath.map((parameter) => parameter.name),
      [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
      words,
    );
    if (verb === 'get' || verb === 'delete') assert.equal(operation.requestBody, undefined, words);
    for (const rule of operation.security ?? [])
      for (const name of Object.keys(rule)) assert.ok(name in document.components.securitySchemes, words);
    assert.ok(
      Object.keys(operation.responses).some((status) => /^2\d\d$/.test(status)),
      words,
    );
  }
});

test('every reference resolves and every schema is JSON Schema 2020-12', () => {
  for (const reference of collect(document, '$ref')) {
    const name = String(reference).replace('#/components/schemas/', '');
    assert.ok(name in document.components.schemas, String(reference));
  }
  const schemas = collect(document.paths, 'schema') as object[];
  assert.ok(schemas.length > 50);
  const validator = newValidator();
  for (const schema of schemas) validator.compile({ ...schema, components: document.components });
});

test('a request body that takes members refuses unknown ones, except where an RFC says to ignore them', () => {
  const open = operations().filter(({ operation }) => {
    const media = operation.requestBody?.content['application/json'];
    const objects = [media?.schema, ...(collect(media, 'anyOf').flat() as object[])].filter(
      (schema) => schema !== undefined && 'properties' in schema,
    );
    return objects.some(
      (schema) => (schema as { additionalProperties?: boolean }).additionalProperties !== false,
    );
  });
  assert.deepEqual(open, []);
  const forms = operations().filter(
    ({ operation }) => operation.requestBody?.content['application/x-www-form-urlencoded'] !== undefined,
  );
  assert.deepEqual(forms.map(({ path }) => path).sort(), ['/auth/introspect', '/auth/revoke', '/auth/token']);
});

test('docs/api.md shows every call and who may make it (LATCHKEY_UPDATE_DOCS=1 writes it anew)', () => {
  const file = new URL('../../docs/api.md', import.meta.url);
  const page = readFileSync(file, 'utf8');
  const [head] = page.split('<!-- calls -->');
  const expected = `${head}<!-- calls -->\n\n${operationTable(document)}\n`;
  if (process.env['LATCHKEY_UPDATE_DOCS'] === '1') writeFileSync(file, expected);
  else assert.equal(page, expected);
});

test('the page runs under a policy without inline code and asks nothing of any other origin', async () => {
  const page = await server.call('GET', '/auth/docs');
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.doesNotMatch(page.text, /<script(?![^>]*src=)|<style|\son\w+=|\sstyle=|https?:\/\//);
  const script = await server.call('GET', '/auth/docs/page.js');
  assert.doesNotMatch(
    script.text,
    /innerHTML|insertAdjacentHTML|localStorage|sessionStorage|document\.cookie|https?:\/\//,
  );
});
