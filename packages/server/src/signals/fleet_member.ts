// What is to be thought of one registered verifier at one moment: whether it is waited for, what it has applied, and until when it
// may still trust what it knows. Pure.
import { fleetSilence } from '../rules/lifetimes.ts';
import type { VerifierRecord } from '../storage/verifiers.ts';

/** A signal, as a place that every verifier is to reach. */
export interface Target {
  readonly epoch: string;
  readonly seq: number;
}

/** It is one of the fleet: its stream is open and it is not silent. */
export function isLive(verifier: VerifierRecord, now: number): boolean {
  return verifier.open && now - verifier.seenAt < fleetSilence;
}

export function hasApplied(verifier: VerifierRecord, { epoch, seq }: Target): boolean {
  return verifier.epoch === epoch && verifier.seq !== null && verifier.seq >= seq;
}

/**
 * The latest `as_of` that it can know. While its stream is open it is told of a new one every second or two; one that is silent is
 * thought to hear us until it leaves the fleet.
 */
export function lastAsOf(verifier: VerifierRecord, now: number): number {
  return verifier.open ? Math.min(now, verifier.seenAt + fleetSilence) : verifier.asOf;
}

/**
 * When it must have stopped trusting what it has. `committedAt`: the time of something that it has not applied: whoever knows
 * a later `as_of` has been told of that too.
 */
export function safeAt(
  verifier: VerifierRecord,
  now: number,
  trust: number,
  committedAt = Number.POSITIVE_INFINITY,
): number {
  return Math.min(lastAsOf(verifier, now), committedAt) + trust;
}
