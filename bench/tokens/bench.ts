// Tokens: verify ones never seen before, verify ones in circulation, sign. One core for everything a contestant does,
// its thread pool included.
import { pin, serverCore } from '../harness/machine.ts';
import type { BenchOptions } from '../harness/options.ts';
import { type Contestant, measure, type Rates, rateOf, ratioOf } from '../harness/rounds.ts';
import { formatNumber, formatRatio, type Table } from '../harness/table.ts';
import { bareName, bareSigner, bareVerifiers } from './bare.ts';
import { type BenchAlgorithm, makeClaims, makeKeys, makeTokens } from './material.ts';
import { ourSigner, oursName, ourVerifier, ourVerifierWithMarks } from './ours.ts';
import { fastJwtVerifier, joseVerifiers, jsonWebTokenVerifier, peerSigners } from './peers.ts';

/** More ES256 tokens a second than any contestant verifies: how many a bench has to make. */
const fastestEs256 = 30_000;

/** A cache of 32 MiB cannot hold this many tokens of 600 bytes and more, whatever its records look like. */
const moreThanAnyCache = 40_000;

/**
 * ES256: every token is shown once to each contestant. The other algorithms: 40,000 tokens in turn, which no cache here
 * holds at its default size, because making RS256 tokens takes longer than verifying them.
 */
export async function distinctRates(alg: BenchAlgorithm, options: BenchOptions): Promise<Rates> {
  const { rounds, roundTime } = options;
  const warmUp = 300;
  const keys = makeKeys(alg);
  const seconds = (warmUp + rounds * roundTime) / 1000;
  const tokens = makeTokens(keys, alg === 'ES256' ? Math.ceil(fastestEs256 * seconds) : moreThanAnyCache);
  const contestants: Contestant[] = [
    ...bareVerifiers(keys, tokens),
    ourVerifier(keys, tokens),
    await fastJwtVerifier(keys, tokens, { name: 'fast-jwt' }),
    ...(alg === 'ES256'
      ? [await fastJwtVerifier(keys, tokens, { name: 'fast-jwt, patched to the bare key', bareKey: true })]
      : []),
    ...(alg === 'EdDSA' ? [] : [await jsonWebTokenVerifier(keys, tokens)]),
    ...(await joseVerifiers(keys, tokens)),
  ];
  return onOneCore(() => measure(contestants, { rounds, roundTime, warmUp }));
}

/** 10,000 tokens in circulation; caches are warm, as each contestant saw all of them before the first round. */
export async function repeatedRates({ rounds, roundTime }: BenchOptions): Promise<Rates> {
  const circulation = 10_000;
  const keys = makeKeys('ES256');
  const tokens = makeTokens(keys, circulation);
  const cache = 2 * circulation;
  const contestants: Contestant[] = [
    await ourVerifierWithMarks(keys, tokens),
    await fastJwtVerifier(keys, tokens, { name: 'fast-jwt, cache', cache }),
    await fastJwtVerifier(keys, tokens, { name: 'fast-jwt, cache by whole token', cache, tokenIsKey: true }),
    await jsonWebTokenVerifier(keys, tokens),
    ...(await joseVerifiers(keys, tokens)).slice(0, 1),
  ];
  for (const { call, asynchronous } of contestants.slice(0, 3)) {
    for (let i = 0; i < circulation; i += 1)
      if (asynchronous) await call(i);
      else call(i);
  }
  return onOneCore(() => measure(contestants, { rounds, roundTime, warmUp: 300 }));
}

/** Each call makes a whole token out of a claims object. */
export async function signRates(alg: BenchAlgorithm, { rounds, roundTime }: BenchOptions): Promise<Rates> {
  const keys = makeKeys(alg);
  const claims = Array.from({ length: 1000 }, makeClaims);
  const contestants = [
    bareSigner(keys, claims),
    ourSigner(keys, claims),
    ...(await peerSigners(keys, claims)),
  ];
  return onOneCore(() => measure(contestants, { rounds, roundTime, warmUp: 300 }));
}

async function onOneCore<T>(run: () => Promise<T>): Promise<T> {
  pin(serverCore);
  try {
    return await run();
  } finally {
    pin('all');
  }
}

/** The peers that a claim must beat: not our own row, not the bare calls, not what a patch would reach. */
export function peersIn(rates: Rates): readonly string[] {
  return [...rates.keys()].filter((name) => !/^(latchkey|bare)|patched/.test(name));
}

function rateTable(title: string, rates: Rates, reference: string): Table {
  const rows = [...rates.keys()].map((name) => [
    name,
    formatNumber(rateOf(rates, name)),
    formatRatio(ratioOf(rates, name, reference)),
    formatRatio(ratioOf(rates, oursName, name)),
  ]);
  return { title, columns: ['', 'a second', `of ${reference}`, 'latchkey is'], rows };
}

export async function benchTokens(options: BenchOptions): Promise<readonly Table[]> {
  const tables: Table[] = [];
  for (const alg of ['ES256', 'RS256', 'EdDSA', 'HS256'] as const) {
    tables.push(rateTable(`Verify ${alg}, distinct tokens`, await distinctRates(alg, options), bareName));
  }
  const title = 'Verify ES256, 10,000 tokens in circulation, a fresh string each call';
  tables.push(rateTable(title, await repeatedRates(options), 'fast-jwt, cache'));
  for (const alg of ['ES256', 'RS256', 'EdDSA', 'HS256'] as const) {
    tables.push(rateTable(`Sign ${alg}, claims object to token`, await signRates(alg, options), bareName));
  }
  return tables;
}
