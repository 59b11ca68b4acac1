// The three libraries, each in the form its own documentation recommends for speed: keys imported once, verifiers and
// signers built once, algorithms pinned, issuer, audience and expiry checked.
import type { KeyObject } from 'node:crypto';
import type { Contestant } from '../harness/rounds.ts';
import { loadFastJwtWithBareKey, loadPeer } from '../peers/load.ts';
import { audience, type BenchClaims, freshString, issuer, type Keys, kid } from './material.ts';

interface Jose {
  jwtVerify(token: string, key: unknown, options: object): Promise<{ payload: { sub?: string } }>;
  importSPKI(pem: string, alg: string): Promise<unknown>;
  importPKCS8(pem: string, alg: string): Promise<unknown>;
  SignJWT: new (
    claims: object,
  ) => {
    setProtectedHeader(header: object): { sign(key: unknown): Promise<string> };
  };
}
interface FastJwt {
  createVerifier(options: object): (token: string) => { sub?: string };
  createSigner(options: object): (claims: object) => string;
}
interface JsonWebToken {
  default: {
    verify(token: string, key: unknown, options: object): { sub?: string };
    sign(claims: object, key: unknown, options: object): string;
  };
}

export type Tokens = readonly Buffer[];

const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;
const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const secret = (key: KeyObject): Buffer => key.export();

export async function joseVerifiers(keys: Keys, tokens: Tokens): Promise<readonly Contestant[]> {
  const jose = await loadPeer<Jose>('jose');
  const key = keys.alg === 'HS256' ? keys.publicKey : await jose.importSPKI(spki(keys.publicKey), keys.alg);
  const options = { issuer, audience, algorithms: [keys.alg], typ: 'at+jwt' };
  const call = async (i: number): Promise<void> => {
    const { payload } = await jose.jwtVerify(freshString(tokens, i % tokens.length), key, options);
    if (payload.sub === undefined) throw new Error('jose: no claims');
  };
  return [
    { name: 'jose', call, asynchronous: true },
    { name: 'jose, 64 in flight', call, asynchronous: true, inFlight: 64 },
  ];
}

export interface FastJwtForm {
  readonly name: string;
  readonly cache?: number;
  /** The identity function: the fastest form its documentation offers; its default hashes the token. */
  readonly tokenIsKey?: boolean;
  readonly bareKey?: boolean;
}

export async function fastJwtVerifier(keys: Keys, tokens: Tokens, form: FastJwtForm): Promise<Contestant> {
  const { createVerifier } = form.bareKey
    ? loadFastJwtWithBareKey<FastJwt>()
    : await loadPeer<FastJwt>('fast-jwt');
  // It warns when the key builder is changed, rightly; here that form is measured because it is the fastest it has.
  const { emitWarning } = process;
  if (form.tokenIsKey) process.emitWarning = () => undefined;
  const verify = createVerifier({
    key: keys.alg === 'HS256' ? secret(keys.publicKey) : spki(keys.publicKey),
    algorithms: [keys.alg],
    allowedIss: issuer,
    allowedAud: audience,
    cache: form.cache ?? false,
    ...(form.tokenIsKey ? { cacheKeyBuilder: (token: string) => token } : {}),
  });
  process.emitWarning = emitWarning;
  const call = (i: number): void => {
    if (verify(freshString(tokens, i % tokens.length)).sub === undefined)
      throw new Error('fast-jwt: no claims');
  };
  return { name: form.name, call };
}

export async function jsonWebTokenVerifier(keys: Keys, tokens: Tokens): Promise<Contestant> {
  const { verify } = (await loadPeer<JsonWebToken>('jsonwebtoken')).default;
  const options = { issuer, audience, algorithms: [keys.alg] };
  const call = (i: number): void => {
    const { sub } = verify(freshString(tokens, i % tokens.length), keys.publicKey, options);
    if (sub === undefined) throw new Error('jsonwebtoken: no claims');
  };
  return { name: 'jsonwebtoken', call };
}

export async function peerSigners(
  keys: Keys,
  claims: readonly BenchClaims[],
): Promise<readonly Contestant[]> {
  const { alg } = keys;
  const jose = await loadPeer<Jose>('jose');
  const fastJwt = await loadPeer<FastJwt>('fast-jwt');
  const { sign } = (await loadPeer<JsonWebToken>('jsonwebtoken')).default;
  const at = (i: number): BenchClaims => claims[i % claims.length] as BenchClaims;
  const joseKey = alg === 'HS256' ? keys.privateKey : await jose.importPKCS8(pkcs8(keys.privateKey), alg);
  const header = { alg, kid, typ: 'at+jwt' };
  const signFast = fastJwt.createSigner({
    key: alg === 'HS256' ? secret(keys.privateKey) : pkcs8(keys.privateKey),
    algorithm: alg,
    kid,
    header: { typ: 'at+jwt' },
  });
  const joseSign = (i: number): Promise<string> =>
    new jose.SignJWT(at(i)).setProtectedHeader(header).sign(joseKey);
  const signers: Contestant[] = [
    { name: 'jose', asynchronous: true, call: joseSign },
    { name: 'jose, 64 in flight', asynchronous: true, inFlight: 64, call: joseSign },
    { name: 'fast-jwt', call: (i) => signFast(at(i)) },
  ];
  if (alg !== 'EdDSA') {
    const options = { algorithm: alg, keyid: kid, header: { alg, typ: 'at+jwt' } };
    // It writes into what it is given, so every call gets its own object, as a caller would make it.
    signers.push({ name: 'jsonwebtoken', call: (i) => sign({ ...at(i) }, keys.privateKey, options) });
  }
  return signers;
}
