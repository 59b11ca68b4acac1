// A verifier on a model issuer, in step and with clocks that stand still: what a single attack on the feed begins with.
import { TokenError } from '@latchkey/core';
import { createVerifier, type Mark, type Verifier, type VerifierOptions } from '@latchkey/core/verifier';
import { until } from '../support/issuer.ts';
import { createModelIssuer, type ModelIssuer } from './model_issuer.ts';
import { createModelWire, type ModelWire } from './model_wire.ts';
import {
  audience,
  beginning,
  forgedMarks,
  impostorOf,
  issuerAddress,
  type KnownToken,
  keys,
  stranger,
  tokens,
} from './universe.ts';

export interface ReaderStage {
  readonly issuer: ModelIssuer;
  readonly wire: ModelWire;
  readonly verifier: Verifier;
  /** Seconds, on both clocks and the issuer's. */
  pass(seconds: number): void;
  /** Commits marks and sends them, closed by a heartbeat. */
  say(...marks: readonly Mark[]): void;
  /** 'accepted', or the code of the refusal. */
  ask(token: KnownToken, sensitive?: boolean): string;
  /** Everything that was committed is applied, and the stream is open. */
  inStep(): Promise<void>;
  close(): void;
}

export interface StageOptions extends Partial<VerifierOptions> {
  /** Seconds by which the verifier's clock is ahead. */
  readonly skew?: number;
}

/** Not connected yet. */
export function startReader({ skew = 0, ...options }: StageOptions = {}): ReaderStage {
  let passed = 0;
  const now = (): number => beginning + passed;
  const issuer = createModelIssuer({ issuer: issuerAddress, now, keys });
  const impostor = () => impostorOf(issuer.signing);
  const wire = createModelWire({ issuer, stranger, impostor, stolen: () => undefined, forgedMarks });
  const verifier = createVerifier({
    issuer: issuerAddress,
    audience,
    fetch: wire.fetch,
    now: () => now() + skew * 1000,
    monotonic: () => passed + 1,
    ...options,
  });
  return {
    issuer,
    wire,
    verifier,
    pass(seconds) {
      passed += seconds * 1000;
    },
    say(...marks) {
      for (const mark of marks) issuer.commit(mark.kind, mark);
      wire.beat();
    },
    ask(token, sensitive = false) {
      try {
        verifier.verifySync(token.text, { sensitive });
        return 'accepted';
      } catch (error) {
        if (error instanceof TokenError) return error.code;
        throw error;
      }
    },
    async inStep() {
      const since = issuer.lastMoment;
      await until(() => {
        wire.beat();
        const { connected, signals } = verifier.status();
        const isNew = (signals?.asOf ?? 0) > since && signals?.epoch === issuer.epoch;
        return connected && isNew && signals.seq === issuer.head();
      }, 'the verifier is in step');
    },
    close() {
      verifier.close();
      for (const stream of [...wire.streams]) stream.fail();
    },
  };
}

/** Lives for an hour, is not hit by anything yet, and shares nothing but its client with the other ones that are given here. */
export const [first, second, third] = [0, 2, 4].map((i) => tokens[i]) as [KnownToken, KnownToken, KnownToken];

export const revokeToken = ({ claims }: KnownToken): Mark => ({
  kind: 'revoke',
  by: 'jti',
  value: claims.jti,
});
