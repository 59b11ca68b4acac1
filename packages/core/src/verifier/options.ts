// What a service may say to `createVerifier`, and every fault of it at once. A service normally says an issuer and an audience and
// nothing else; the outside world (`fetch`, clocks) is an argument, so that tests need no patching. The one dangerous
// option is named by a symbol: it cannot come out of a configuration file by accident.
import { type Algorithm, supportedAlgorithms } from '../jwa.ts';
import { type JwkSet, parseJwkSet } from '../jwk.ts';
import { defaultClockTolerance, defaultMaxTokenLife, maxClockTolerance } from '../jwt.ts';
import type { KeySet } from '../keys.ts';
import { classifyAddress } from './addresses.ts';
import type { Fetch } from './bounded_fetch.ts';
import { type ClientCredential, defaultAgent } from './reader.ts';

/**
 * Danger: lets `issuerAddress` be plain http to a private address or an internal name. Whoever can answer there decides
 * which keys are trusted. Meant for a container network that nobody else is on.
 */
export const allowPlainPrivateAddress: unique symbol = Symbol(
  'latchkey: plain http to a private issuer address',
);

export type SignalsMode = 'stream' | 'poll' | 'off';

export interface VerifierOptions {
  /** The `iss` of the tokens, byte for byte. https, or http on the loopback interface. */
  readonly issuer: string;
  /** One of these must be in the token's `aud`. */
  readonly audience: string | readonly string[];
  /** Where the issuer is reached from this machine, path included. @default `issuer` */
  readonly issuerAddress?: string;
  /** Fixed keys: no network at all, no signals, and so no revocation before a token expires. */
  readonly jwks?: JwkSet | KeySet;
  /** @default the global `fetch` */
  readonly fetch?: Fetch;
  /** Milliseconds since the epoch. @default `Date.now` */
  readonly now?: () => number;
  /** Milliseconds that never go back. @default `performance.now` */
  readonly monotonic?: () => number;
  /** @default ES256, ES384, EdDSA, Ed25519, RS256, PS256 */
  readonly algorithms?: readonly Algorithm[];
  /** Seconds by which clocks may differ. @default 30 */
  readonly clockTolerance?: number;
  /** Seconds a token may live at most. @default 3600 */
  readonly maxTokenLife?: number;
  /** Bytes for signatures that were verified before; 0 keeps none. @default 64 MiB, enough for about 16,000 tokens in circulation */
  readonly signatureCacheBytes?: number;
  /**
   * `poll`: for places where long connections are impossible. `off`: keys are fetched, revocations are not, and nothing ever
   * counts as stale. @default 'stream'
   */
  readonly signals?: SignalsMode;
  /** Milliseconds between two looks at the snapshot, for `poll`: 500 to 60000. @default 2000 */
  readonly pollInterval?: number;
  /** Where the signals are read, path included, when the issuer serves them elsewhere. @default `issuerAddress` */
  readonly signalsAddress?: string;
  /**
   * Makes this a registered reader: it may read where strangers may not, and with `stream` it has a reserved place, is listed by
   * the issuer, and acknowledges what it has applied.
   */
  readonly client?: ClientCredential;
  /** `User-Agent` of everything that is asked of the issuer. @default `latchkey-core/<version>` */
  readonly agent?: string;
  /** A file for the last good keys and marks, so that a restart works while the issuer is down. Whoever can write it is trusted. */
  readonly stateFile?: string;
  readonly [allowPlainPrivateAddress]?: boolean;
}

export interface VerifierSettings {
  readonly issuer: string;
  readonly audience: string | readonly string[];
  readonly address: string;
  readonly fixedKeys: KeySet | undefined;
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly algorithms: readonly Algorithm[];
  readonly clockTolerance: number;
  readonly maxTokenLife: number;
  readonly signatureCacheBytes: number;
  /** `off` with fixed keys too. */
  readonly signals: SignalsMode;
  readonly pollInterval: number;
  readonly signalsAddress: string;
  readonly client: ClientCredential | undefined;
  readonly agent: string;
  readonly stateFile: string | undefined;
}

const defaultAlgorithms: readonly Algorithm[] = ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'RS256', 'PS256'];

const knownOptions: Readonly<Record<Exclude<keyof VerifierOptions, symbol>, string>> = {
  issuer: 'string',
  audience: 'any',
  issuerAddress: 'string',
  jwks: 'object',
  fetch: 'function',
  now: 'function',
  monotonic: 'function',
  algorithms: 'object',
  clockTolerance: 'number',
  maxTokenLife: 'number',
  signatureCacheBytes: 'number',
  signals: 'string',
  pollInterval: 'number',
  signalsAddress: 'string',
  client: 'object',
  agent: 'string',
  stateFile: 'string',
};

/** The settings with their defaults. Throws one TypeError that lists every fault. */
export function readOptions(options: VerifierOptions): VerifierSettings {
  if (typeof options !== 'object' || options === null) throw new TypeError('createVerifier needs options');
  const faults = [
    ...shapeFaults(options as unknown as Record<string, unknown>),
    ...addressFaults(options),
    ...audienceFaults(options.audience),
    ...algorithmFaults(options),
    ...numberFaults(options),
    ...readerFaults(options),
    ...combinationFaults(options),
  ];
  const algorithms = options.algorithms ?? defaultAlgorithms;
  const fixedKeys = faults.length === 0 ? readKeys(options.jwks, algorithms, faults) : undefined;
  if (faults.length > 0) throw new TypeError(`createVerifier: ${faults.join('; ')}`);
  const address = options.issuerAddress ?? options.issuer;
  return {
    issuer: options.issuer,
    audience: options.audience,
    address,
    fixedKeys,
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    now: options.now ?? Date.now,
    monotonic: options.monotonic ?? (() => performance.now()),
    algorithms,
    clockTolerance: options.clockTolerance ?? defaultClockTolerance,
    maxTokenLife: options.maxTokenLife ?? defaultMaxTokenLife,
    signatureCacheBytes: options.signatureCacheBytes ?? 67_108_864,
    signals: fixedKeys === undefined ? (options.signals ?? 'stream') : 'off',
    pollInterval: options.pollInterval ?? 2_000,
    signalsAddress: options.signalsAddress ?? address,
    client: options.client,
    agent: options.agent ?? defaultAgent,
    stateFile: options.stateFile,
  };
}

function shapeFaults(options: Record<string, unknown>): string[] {
  const faults: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    const wanted = Object.hasOwn(knownOptions, name)
      ? knownOptions[name as keyof typeof knownOptions]
      : undefined;
    if (wanted === undefined) faults.push(`${name} is not an option`);
    else if (value !== undefined && wanted !== 'any' && (typeof value !== wanted || value === null)) {
      faults.push(`${name} must be of type ${wanted}`);
    }
  }
  if (options['signals'] !== undefined && !['stream', 'poll', 'off'].includes(options['signals'] as string)) {
    faults.push("signals must be 'stream', 'poll' or 'off'");
  }
  return faults;
}

function addressFaults(options: VerifierOptions): string[] {
  const faults: string[] = [];
  const issuer = classifyAddress(options.issuer);
  if ('fault' in issuer) faults.push(`issuer ${issuer.fault}`);
  else if (issuer.kind !== 'https' && issuer.kind !== 'loopback')
    faults.push('issuer must be https, or http on loopback');
  const dangerous = options[allowPlainPrivateAddress] === true;
  for (const name of ['issuerAddress', 'signalsAddress'] as const) {
    if (options[name] === undefined) continue;
    const address = classifyAddress(options[name]);
    if ('fault' in address) faults.push(`${name} ${address.fault}`);
    else if (address.kind === 'other') faults.push(`${name} must be https, or http on loopback`);
    else if (address.kind === 'private' && !dangerous) {
      faults.push(`${name} is plain http to a private address: only with [allowPlainPrivateAddress]`);
    }
  }
  return faults;
}

function audienceFaults(audience: unknown): string[] {
  const values = Array.isArray(audience) ? audience : [audience];
  const good = values.length > 0 && values.every((value) => typeof value === 'string' && value !== '');
  return good ? [] : ['audience must be a string or an array of strings, none of them empty'];
}

function algorithmFaults({ algorithms, jwks }: VerifierOptions): string[] {
  if (algorithms === undefined) return [];
  if (!Array.isArray(algorithms) || algorithms.length === 0)
    return ['algorithms must be an array and not empty'];
  const supported = supportedAlgorithms();
  const faults = algorithms
    .filter((name) => !supported.includes(name))
    .map((name) => `algorithms: ${String(name)} is not supported here`);
  if (algorithms.includes('HS256') && !(jwks instanceof Map)) {
    faults.push('algorithms: HS256 needs a key set made with hmacKey, its keys are never fetched');
  }
  return faults;
}

function numberFaults(options: VerifierOptions): string[] {
  const limits = [
    ['clockTolerance', 0, maxClockTolerance, 'seconds'],
    ['maxTokenLife', 30, 86_400, 'seconds'],
    ['signatureCacheBytes', 0, 2 ** 31, 'bytes'],
    ['pollInterval', 500, 60_000, 'milliseconds'],
  ] as const;
  return limits.flatMap(([name, least, most, unit]) => {
    const value = options[name];
    if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) return [];
    return [`${name} must be ${least} to ${most} ${unit}`];
  });
}

/** The words never hold what was given: it may be a secret. */
function readerFaults({ client, agent }: VerifierOptions): string[] {
  const faults: string[] = [];
  const isText = (value: unknown, most: number): boolean =>
    typeof value === 'string' && value.length <= most && /^[\x20-\x7e]+$/.test(value);
  if (agent !== undefined && !isText(agent, 256))
    faults.push('agent must be 1 to 256 printable ASCII characters');
  if (client === undefined || client === null) return faults;
  if (!isText(client.id, 256)) faults.push('client.id must be 1 to 256 printable ASCII characters');
  if (!isText(client.secret, 1024)) faults.push('client.secret must be 1 to 1024 printable ASCII characters');
  return faults;
}

function combinationFaults(options: VerifierOptions): string[] {
  const faults: string[] = [];
  const meaningless = (
    name: 'issuerAddress' | 'signalsAddress' | 'client' | 'stateFile',
    where: string,
  ): void => {
    if (options[name] !== undefined) faults.push(`${name} has no meaning with ${where}`);
  };
  if (options.jwks !== undefined) {
    for (const name of ['issuerAddress', 'signalsAddress', 'client', 'stateFile'] as const)
      meaningless(name, 'fixed jwks');
    if (options.signals === 'stream' || options.signals === 'poll')
      faults.push('signals cannot be followed with fixed jwks');
  } else if (options.signals === 'off') {
    for (const name of ['signalsAddress', 'client'] as const) meaningless(name, "signals: 'off'");
  }
  return faults;
}

function readKeys(
  jwks: JwkSet | KeySet | undefined,
  algorithms: readonly Algorithm[],
  faults: string[],
): KeySet | undefined {
  if (jwks === undefined) return undefined;
  try {
    const keys = jwks instanceof Map ? (jwks as KeySet) : parseJwkSet(jwks, { algorithms });
    const usable = new Map([...keys].filter(([, key]) => algorithms.includes(key.alg)));
    if (usable.size === 0) faults.push('jwks holds no key for these algorithms');
    return usable;
  } catch (error) {
    faults.push(`jwks was refused: ${error instanceof Error ? error.message : 'not a JWK Set'}`);
    return undefined;
  }
}
