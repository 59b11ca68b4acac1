// What a proof is. One file each in bench/proofs: it exports `name`, `goal` and `run`, and adding a file is all it takes.
// Each runs in a process of its own (harness/prove_one.ts), so that none meets another's compiled code or memory.

export interface ProofResult {
  /** What was measured, in one line. */
  readonly figure: string;
  readonly pass: boolean;
}

export interface ProofOptions {
  /** Small sizes, to see that a proof works; its verdict means little. */
  readonly quick: boolean;
}

export interface Proof {
  readonly name: string;
  /** What has to hold, in one line. */
  readonly goal: string;
  readonly run: (options: ProofOptions) => Promise<ProofResult>;
}

/** Joins partial results: every one must pass. */
export function allOf(results: readonly ProofResult[]): ProofResult {
  return {
    figure: results.map(({ figure }) => figure).join('; '),
    pass: results.every(({ pass }) => pass),
  };
}
