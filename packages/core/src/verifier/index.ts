export type { Fetch } from './bounded_fetch.ts';
export type { SignalsStatus } from './knowledge.ts';
export type { Mark, MarkBy, MarkedClaims, MarkHit, MarkKind } from './marks.ts';
export { allowPlainPrivateAddress, type SignalsMode, type VerifierOptions } from './options.ts';
export type { ClientCredential } from './reader.ts';
export {
  createVerifier,
  type Verifier,
  type VerifierStatus,
  type VerifyOptions,
} from './verifier.ts';
