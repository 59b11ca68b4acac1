// What everyone may use. Only `createVerifier` waits on the network; it has its own door too, `@latchkey/core/verifier`.
export {
  type AccessTokenClaims,
  type AccessTokenHeader,
  checkAccessTokenClaims,
  type ParsedAccessToken,
  parseAccessToken,
  readAccessTokenHeader,
  signAccessToken,
  type VerifiedToken,
  verifyAccessToken,
  verifyAccessTokenSignature,
} from './access_token.ts';
export { decodeBase64url, encodeBase64url } from './base64url.ts';
export { checkCustomClaims, maxCustomClaimsBytes } from './custom_claims.ts';
export { type Algorithm, supportedAlgorithms } from './jwa.ts';
export {
  exportPrivateKey,
  exportPublicJwk,
  generateKeyPair,
  importPrivateKey,
  type Jwk,
  JwkError,
  type JwkErrorCode,
  type JwkSet,
  type ParseJwkSetOptions,
  parseJwkSet,
  thumbprint,
  verificationKeyOf,
} from './jwk.ts';
export { type JoseHeader, signJws, type VerifiedJws, type VerifyJwsOptions, verifyJws } from './jws.ts';
export {
  type ClaimsExpectation,
  type JwtClaims,
  type SignJwtOptions,
  signJwt,
  type VerifiedJwt,
  type VerifyJwtOptions,
  verifyJwt,
} from './jwt.ts';
export { hmacKey, type KeySet, keySet, type SigningKey, type VerificationKey } from './keys.ts';
export { type Refusal, type RefusalCode, refusalOf } from './refusal.ts';
export { type Grants, hasPermission, hasRole } from './roles.ts';
export { parseStrictJson, type StrictJsonOptions } from './strict_json.ts';
export { type Reason, TokenError, type TokenErrorCode } from './token_error.ts';
export { createVerifier, type Verifier, type VerifierOptions } from './verifier/index.ts';
