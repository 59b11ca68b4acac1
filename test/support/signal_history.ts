// Random histories of the signals protocol: the real verifier, a model issuer, and everything that can go wrong between them
// (test/properties). Several are played at once, because a verifier that was cut off waits a little before it comes back.
import fc from 'fast-check';
import { anyHistory } from '../properties/history.ts';
import { playHistory, type Tally, WrongDecision } from '../properties/play.ts';

export interface HistoryReport extends Readonly<Tally> {
  /** Accepted although the issuer had said no, or fresher than anything that was said. */
  readonly wrongAccepts: number;
  /** Refused although nothing hits and the knowledge is fresh; or something missed after all faults have ended. */
  readonly wrongRefusals: number;
  /** The shortest history that shows it, with its seed. */
  readonly counterexample: string | undefined;
}

export interface HistoryOptions {
  /** Whether a history that fails is cut down to the steps that matter: that takes long. @default false */
  readonly shrink?: boolean;
  /** Histories at once. @default 64 */
  readonly lanes?: number;
}

/** The same `count` and `seed` make the same histories. */
export async function runHistories(
  count: number,
  seed: number,
  { shrink = false, lanes = 64 }: HistoryOptions = {},
): Promise<HistoryReport> {
  const tally: Tally = { histories: 0, steps: 0, decisions: 0, answers: {}, played: {} };
  const width = Math.min(lanes, count);
  const results = await Promise.all(
    Array.from({ length: width }, (_, lane) =>
      runLane(Math.ceil((count - lane) / width), seed * 1_000 + lane, tally, shrink),
    ),
  );
  const failed = results.filter((result) => result !== undefined);
  return {
    ...tally,
    wrongAccepts: failed.filter(({ accepted }) => accepted).length,
    wrongRefusals: failed.filter(({ accepted }) => !accepted).length,
    counterexample: failed[0]?.words,
  };
}

async function runLane(
  count: number,
  seed: number,
  tally: Tally,
  shrink: boolean,
): Promise<{ readonly accepted: boolean; readonly words: string } | undefined> {
  const result = await fc.check(
    fc.asyncProperty(anyHistory, (history) => playHistory(history, tally)),
    { seed, numRuns: count, endOnFailure: !shrink },
  );
  if (!result.failed) return undefined;
  const error: unknown = result.errorInstance;
  if (!(error instanceof WrongDecision)) throw error;
  return {
    accepted: error.accepted,
    words: `seed ${seed}: ${error.message}\n${JSON.stringify(result.counterexample)}`,
  };
}
