// Who may import whom (docs/architecture.md). A package is a trust boundary, so an import across the wrong border is
// a security fault, not a matter of taste. Imports are read as text: dynamic imports with a literal count as well.
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';

/** What each package may import: our packages by name, libraries by name, Node's modules by `node:` or one by one. */
const packageRules: Record<string, readonly string[]> = {
  'packages/core': ['node:'],
  'packages/server': [
    'node:',
    '@latchkey/core',
    '@node-rs/argon2',
    '@zxcvbn-ts/language-common',
    'ajv',
    'fast-json-stringify',
    'fastify',
    'pino',
  ],
  'packages/gateway': ['node:', '@latchkey/core'],
  'packages/client': ['type:@latchkey/core'],
  'packages/latchkey': [
    'node:',
    'latchkey',
    '@latchkey/core',
    '@latchkey/server',
    '@latchkey/gateway',
    '@latchkey/client',
  ],
  'examples/hospital': ['node:', '@latchkey/core', '@latchkey/client'],
};

/** Inside a package: a folder (or file) may import only the folders to its right. */
const folderRules: Record<string, Record<string, readonly string[]>> = {
  'packages/core/src': {
    '.': ['.'],
    verifier: ['.', 'verifier'],
    middleware: ['.', 'verifier', 'middleware'],
  },
  'packages/server/src': {
    endpoints: ['.', 'endpoints', 'http', 'events', 'grants', 'keys', 'signals', 'rules', 'storage'],
    http: ['.', 'http', 'grants', 'keys', 'rules', 'storage'],
    events: ['.', 'events', 'grants', 'keys', 'signals', 'rules', 'storage'],
    grants: ['.', 'grants', 'keys', 'passwords', 'signals', 'rules', 'storage'],
    keys: ['.', 'keys', 'signals', 'rules', 'storage'],
    passwords: ['.', 'passwords', 'rules'],
    signals: ['.', 'signals', 'rules', 'storage'],
    storage: ['.', 'storage'],
    // Records come from storage as types; rules never read or write anything.
    rules: ['.', 'rules', 'storage'],
  },
};

/** The pure part of core: no I/O, no clock, no timers. */
const pureCore = {
  allowed: ['node:crypto', 'node:buffer'],
  forbidden: /\b(Date\.now|setTimeout|setInterval|fetch)\(/,
};

const importPattern =
  /\b(import|export)(\s+type)?\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]\s*\)|\bimport\s+['"]([^'"]+)['"]/g;

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function importsOf(text: string): Import[] {
  const found: Import[] = [];
  for (const match of text.matchAll(importPattern)) {
    const specifier = match[3] ?? match[4] ?? match[5];
    if (specifier !== undefined) found.push({ specifier, typeOnly: match[2] !== undefined });
  }
  return found;
}

function allowedBy(rules: readonly string[], { specifier, typeOnly }: Import): boolean {
  return rules.some((rule) => {
    if (rule === 'node:') return specifier.startsWith('node:');
    if (rule.startsWith('type:')) return typeOnly && within(rule.slice(5), specifier);
    return within(rule, specifier);
  });
}

function within(name: string, specifier: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`);
}

function checkFile(file: string, home: string, problems: string[]): void {
  const rules = packageRules[home] ?? [];
  const text = readFileSync(file, 'utf8');
  const testFile = /\.test\.ts$|\/test_support\//.test(file);
  for (const found of importsOf(text)) {
    const { specifier } = found;
    if (specifier.startsWith('.')) {
      checkRelative(file, home, specifier, problems);
    } else if (!specifier.startsWith('node:') && builtinModules.includes(specifier)) {
      problems.push(`${file} imports ${specifier} without node:`);
    } else if (!testFile && !allowedBy(rules, found)) {
      problems.push(`${file} may not import ${specifier}`);
    }
  }
  checkPure(file, text, testFile, problems);
}

function checkRelative(file: string, home: string, specifier: string, problems: string[]): void {
  const target = join(dirname(file), specifier);
  if (!target.startsWith(`${home}/`)) problems.push(`${file} reaches out of its package with ${specifier}`);
  const folders = folderRules[`${home}/src`];
  if (folders === undefined || !target.startsWith(`${home}/src/`)) return;
  // An index re-exports from the whole package, and nothing inside the package imports it.
  if (file === `${home}/src/index.ts`) return;
  const allowed = folders[folderOf(file, home)];
  if (allowed !== undefined && !allowed.includes(folderOf(target, home))) {
    problems.push(`${file} may not import ${specifier}: ${folderOf(file, home)} stands below it`);
  }
}

function folderOf(file: string, home: string): string {
  const path = relative(`${home}/src`, file).split('/');
  return path.length > 1 ? (path[0] ?? '.') : '.';
}

function checkPure(file: string, text: string, testFile: boolean, problems: string[]): void {
  if (testFile || !/^packages\/core\/src\/[^/]+\.ts$/.test(file)) return;
  for (const { specifier } of importsOf(text)) {
    if (specifier.startsWith('node:') && !pureCore.allowed.includes(specifier)) {
      problems.push(`${file} is pure and may not import ${specifier}`);
    }
  }
  const call = pureCore.forbidden.exec(text);
  if (call !== null) problems.push(`${file} is pure and may not call ${call[1]}`);
}

/** All broken rules, one line each; empty when the architecture holds. */
export function checkArchitecture(): string[] {
  const problems: string[] = [];
  for (const home of Object.keys(packageRules)) {
    const files = globSync(`${home}/**/*.ts`, { exclude: (name) => /node_modules|dist/.test(name) });
    for (const file of files) checkFile(file, home, problems);
  }
  return problems;
}
