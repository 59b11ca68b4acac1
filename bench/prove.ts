// `npm run prove [-- NAME…] [--json] [--quick] [--list]`: runs every proof in bench/proofs, or those that are named, and
// prints goal, figure and verdict. Exits 1 when one fails.
import { fork } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { installPeers } from './harness/install.ts';
import { machineLine } from './harness/machine.ts';
import type { Proof, ProofResult } from './harness/proof.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, list: { type: 'boolean' } },
});

const nameOf = (file: string): string => basename(file, '.ts');
const available = globSync(join(import.meta.dirname, 'proofs', '*.ts')).sort();

/** A proof by its exact name, or else all whose names contain what was said. */
function named(wanted: string): readonly string[] {
  const exact = available.filter((file) => nameOf(file) === wanted);
  return exact.length > 0 ? exact : available.filter((file) => nameOf(file).includes(wanted));
}

const files = positionals.length === 0 ? available : [...new Set(positionals.flatMap(named))];
if (files.length === 0) {
  console.error(`prove: no proof is named like ${positionals.join(', ')}\nhint: npm run prove -- --list`);
  process.exit(2);
}

interface Outcome extends ProofResult {
  readonly name: string;
  readonly goal: string;
  readonly seconds: number;
}

async function prove(file: string): Promise<Outcome> {
  const { name, goal } = (await import(pathToFileURL(file).href)) as Proof;
  const start = performance.now();
  // What a proof prints goes to standard error: standard output holds the table, or the JSON, and nothing else.
  const child = fork(
    join(import.meta.dirname, 'harness', 'prove_one.ts'),
    [file, values.quick ? 'quick' : 'full'],
    { stdio: ['ignore', 2, 2, 'ipc'] },
  );
  const result = await new Promise<ProofResult>((resolve) => {
    child.once('message', (message) => resolve(message as ProofResult));
    child.once('exit', (code) => resolve({ figure: `ended early with code ${code}`, pass: false }));
  });
  return { name, goal, ...result, seconds: (performance.now() - start) / 1000 };
}

function verdict({ pass }: ProofResult): string {
  return pass ? 'holds' : 'FAILS';
}

if (values.list) {
  for (const file of files) {
    const { name, goal } = (await import(pathToFileURL(file).href)) as Proof;
    console.log(`${name.padEnd(24)} ${goal}`);
  }
  process.exit(0);
}

installPeers();
const outcomes: Outcome[] = [];
if (!values.json) console.log(`${machineLine()}\n`);
for (const file of files) {
  const outcome = await prove(file);
  outcomes.push(outcome);
  if (values.json) continue;
  console.log(`${verdict(outcome)}  ${outcome.name} (${outcome.seconds.toFixed(0)} s)`);
  console.log(`       goal    ${outcome.goal}\n       figure  ${outcome.figure}\n`);
}
const failed = outcomes.filter(({ pass }) => !pass);
if (values.json) console.log(JSON.stringify({ machine: machineLine(), proofs: outcomes }, null, 2));
else console.log(`prove: ${outcomes.length - failed.length} hold, ${failed.length} fail`);
process.exit(failed.length === 0 ? 0 : 1);
