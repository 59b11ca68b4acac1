// Runs one proof and tells the parent what came of it. An exception is a failed proof with its message as the figure.
import { pathToFileURL } from 'node:url';
import type { Proof, ProofResult } from './proof.ts';

const [file = '', quick] = process.argv.slice(2);

async function runOne(): Promise<ProofResult> {
  try {
    const proof = (await import(pathToFileURL(file).href)) as Proof;
    return await proof.run({ quick: quick === 'quick' });
  } catch (error) {
    console.error(error);
    const message = error instanceof Error ? error.message : String(error);
    return { figure: `failed: ${message.split('\n')[0]}`, pass: false };
  }
}

const result = await runOne();
process.send?.(result, () => process.exit(0));
