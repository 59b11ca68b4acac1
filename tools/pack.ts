// Makes what is published: `node tools/pack.ts [DIRECTORY]` compiles every public package and puts tarballs into dist/ (or
// the directory). Node.js refuses TypeScript under node_modules, so sources become .js and .d.ts, and `exports`, which
// point at sources in this repository, point at those.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** In the order in which they are compiled: each after what it imports. */
const packages = ['core', 'client', 'gateway', 'server', 'latchkey'] as const;

/** Other people's services run these, on the Node.js they have. */
const runsOnOlderNode = new Set(['core', 'client']);

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as Manifest;
}

function run(command: string, args: readonly string[], folder: string): string {
  const result = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) throw new Error(`${command} failed:\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** `./src/verifier/index.ts` → `./dist/verifier/index.js`, or `.d.ts`. */
function compiledPath(source: string, ending: '.js' | '.d.ts'): string {
  return source.replace(/^\.\/src\//, './dist/').replace(/\.ts$/, ending);
}

/** Where the packages compiled so far have their types, for the compiler: their sources are not part of this package. */
function pathsOfCompiled(staging: string, done: readonly string[]): Record<string, string[]> {
  const paths: Record<string, string[]> = {};
  for (const name of done) {
    const { name: published, exports } = manifestOf(name);
    for (const [subpath, source] of Object.entries(exports)) {
      paths[published + subpath.slice(1)] = [join(staging, name, compiledPath(source, '.d.ts'))];
    }
  }
  return paths;
}

function compile(name: string, staging: string, done: readonly string[]): void {
  const source = join(root, 'packages', name, 'src');
  const target = join(staging, name, 'dist');
  const project = join(staging, `tsconfig.${name}.json`);
  const options = {
    noEmit: false,
    declaration: true,
    stripInternal: true,
    rootDir: source,
    outDir: target,
    paths: pathsOfCompiled(staging, done),
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
  };
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: options,
    include: [`${source}/**/*.ts`],
    exclude: [`${source}/**/*.test.ts`],
  };
  writeFileSync(project, JSON.stringify(config));
  run(join(root, 'node_modules', '.bin', 'tsc'), ['--project', project], root);
  for (const file of globSync('**/*.{js,d.ts}', { cwd: target })) pointAtCompiled(join(target, file));
  for (const file of globSync('**/*', { cwd: source, withFileTypes: true })) {
    const from = join(file.parentPath, file.name);
    if (!file.isFile() || from.endsWith('.ts')) continue;
    mkdirSync(dirname(join(target, relative(source, from))), { recursive: true });
    copyFileSync(from, join(target, relative(source, from)));
  }
}

/** The compiler rewrites imports, but neither `new URL('./child.ts', import.meta.url)` nor the imports of declarations. */
function pointAtCompiled(file: string): void {
  const before = readFileSync(file, 'utf8');
  const after = file.endsWith('.d.ts')
    ? before.replaceAll(/((?:from|import\()\s*['"]\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1.js$2')
    : before.replaceAll(/(new URL\(\s*(['"`])\.{1,2}\/[^'"`]+)\.ts(\2,\s*import\.meta\.url)/g, '$1.js$3');
  if (after !== before) writeFileSync(file, after);
}

/** What is published of a manifest: no workspace, no development, `exports` with types. */
function publishedManifest(name: string): object {
  const { exports, bin, devDependencies, private: _, ...rest } = manifestOf(name);
  return {
    ...rest,
    engines: { node: runsOnOlderNode.has(name) ? '>=22' : '>=24.15' },
    files: ['dist', 'bin'],
    exports: Object.fromEntries([
      ...Object.entries(exports).map(([subpath, source]) => [
        subpath,
        { types: compiledPath(source, '.d.ts'), default: compiledPath(source, '.js') },
      ]),
      ['./package.json', './package.json'],
    ]),
    ...(bin && {
      bin: Object.fromEntries(
        Object.entries(bin).map(([command, file]) => [command, file.replace(/^\.\//, '')]),
      ),
    }),
  };
}

function addDocuments(name: string, folder: string): void {
  const { name: published, description } = manifestOf(name);
  const readme = join(root, 'packages', name, 'README.md');
  if (existsSync(readme)) copyFileSync(readme, join(folder, 'README.md'));
  else
    writeFileSync(
      join(folder, 'README.md'),
      `# ${published}\n\n${description}\n\nPart of Latchkey, a self-hosted JWT authentication system.\n`,
    );
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
}

/** Compiles and packs everything. Answers with the tarballs by package name. */
export function packAll(destination: string): Record<string, string> {
  const staging = join(destination, 'packages');
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const done: string[] = [];
  for (const name of packages) {
    const folder = join(staging, name);
    mkdirSync(folder);
    compile(name, staging, done);
    done.push(name);
    const bin = join(root, 'packages', name, 'bin');
    if (existsSync(bin)) cpSync(bin, join(folder, 'bin'), { recursive: true });
    addDocuments(name, folder);
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(publishedManifest(name), null, 2)}\n`);
  }
  const folders = packages.map((name) => join(staging, name));
  const packed = run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', destination, ...folders],
    root,
  );
  return tarballsIn(packed, destination);
}

/** npm 11 answers with a list, npm 12 with an object by package name. */
function tarballsIn(json: string, destination: string): Record<string, string> {
  const packed = Object.values(
    JSON.parse(json) as Record<string, { readonly name: string; readonly filename: string }>,
  );
  return Object.fromEntries(packed.map(({ name, filename }) => [name, join(destination, filename)]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, file] of Object.entries(packAll(resolve(process.argv[2] ?? join(root, 'dist')))))
    console.log(`${name}  ${relative(process.cwd(), file)}`);
}
