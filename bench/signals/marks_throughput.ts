// What a million marks cost a verifier: ES256 tokens with none, with a million, and with a million to which 3,000 a second are
// added, so that what was known of a token in circulation never holds until it comes by again. As one JSON line:
//   node marks_throughput.ts distinct|repeated <marks> [quick]
import { spawnSync } from 'node:child_process';
import { setImmediate as turn } from 'node:timers/promises';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { pin, serverCore } from '../harness/machine.ts';
import { type Contestant, measure, rateOf, ratioOf } from '../harness/rounds.ts';
import { freshString, makeKeys, makeTokens } from '../tokens/material.ts';
import { createMarksIssuer, type MarksIssuer, verifierOptions } from './marks_issuer.ts';

export type Traffic = 'distinct' | 'repeated';

export interface ThroughputFigures {
  readonly node: string;
  readonly marks: number;
  /** Verifications a second without marks. */
  readonly rate: number;
  /** Of that rate, with the marks. */
  readonly still: number;
  readonly arriving: number;
  /** Marks a second that arrived while the last was measured. */
  readonly arrivals: number;
}

/** 3,000 a second. */
const marksInBatch = 30;
/** Milliseconds. */
const batchInterval = 10;
/** More ES256 tokens a second than are verified. */
const fastestEs256 = 20_000;
const circulation = 10_000;

interface Contest {
  readonly contestant: Contestant;
  readonly verifier: Verifier;
  readonly issuer: MarksIssuer;
}

type Keys = ReturnType<typeof makeKeys>;

/**
 * One call is a batch of verifications and one turn of the event loop, in which news may come in. The same for everybody.
 */
async function contest(
  name: string,
  keys: Keys,
  tokens: readonly Buffer[],
  options: { readonly marks: number; readonly batch: number; readonly arrives?: number },
): Promise<Contest> {
  const { marks, batch, arrives = 0 } = options;
  const issuer = createMarksIssuer(keys, marks);
  const verifier = createVerifier({ ...verifierOptions, fetch: issuer.fetch });
  await verifier.ready(60_000);
  if (verifier.status().marks !== marks) throw new Error(`${verifier.status().marks} marks arrived`);
  if (arrives > 0) issuer.prepare(arrives, marksInBatch);
  let spokenAt = performance.now();
  const speak = (): void => {
    const now = performance.now();
    if (arrives === 0 || now - spokenAt < batchInterval) return;
    issuer.say();
    // Time in which others are measured is not made up for.
    spokenAt = Math.max(spokenAt + batchInterval, now - batchInterval);
  };
  const call = async (i: number): Promise<void> => {
    speak();
    for (let at = i * batch; at < (i + 1) * batch; at += 1) {
      const { claims } = verifier.verifySync(freshString(tokens, at % tokens.length));
      if (claims.sub === undefined) throw new Error('no claims');
    }
    await turn();
  };
  return { contestant: { name, call, asynchronous: true }, verifier, issuer };
}

async function figures(traffic: Traffic, marks: number, quick: boolean): Promise<ThroughputFigures> {
  const timing = { rounds: quick ? 3 : 11, roundTime: quick ? 200 : 500, warmUp: 300 };
  const keys = makeKeys('ES256');
  const seconds = (timing.warmUp + timing.rounds * timing.roundTime) / 1000;
  const tokens = makeTokens(keys, traffic === 'repeated' ? circulation : Math.ceil(seconds * fastestEs256));
  const batch = traffic === 'repeated' ? 250 : 25;
  const contests = [
    await contest('none', keys, tokens, { marks: 0, batch }),
    await contest('still', keys, tokens, { marks, batch }),
    await contest('arriving', keys, tokens, {
      marks,
      batch,
      arrives: (seconds + 10) * (1000 / batchInterval),
    }),
  ];
  pin(serverCore);
  if (traffic === 'repeated') {
    for (const { contestant } of contests) {
      // Twice: a token is kept the second time it is seen.
      for (let i = 0; i < (2 * circulation) / batch; i += 1) await contestant.call(i);
    }
  }
  const saidBefore = contests[2]?.issuer.said ?? 0;
  const arrivedBefore = contests[2]?.verifier.status().marks ?? 0;
  const rates = await measure(
    contests.map(({ contestant }) => contestant),
    timing,
  );
  const { verifier, issuer } = contests[2] as Contest;
  await turn();
  const arrived = verifier.status().marks - arrivedBefore;
  const said = issuer.said - saidBefore;
  if (arrived < said / 2) throw new Error(`${arrived} of ${said} marks arrived`);
  return {
    node: process.versions.node,
    marks,
    rate: rateOf(rates, 'none') * batch,
    still: ratioOf(rates, 'still', 'none'),
    arriving: ratioOf(rates, 'arriving', 'none'),
    arrivals: arrived / seconds,
  };
}

/** @throws when the measurement ends in an error. */
export function throughputFiguresOn(
  node: string,
  traffic: Traffic,
  { marks, quick }: { readonly marks: number; readonly quick: boolean },
): ThroughputFigures {
  const run = spawnSync(node, [import.meta.filename, traffic, String(marks), quick ? 'quick' : 'full'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`${node} ended with ${run.status ?? run.signal}`);
  return JSON.parse(run.stdout) as ThroughputFigures;
}

if (import.meta.main) {
  const [traffic, marks, size] = process.argv.slice(2);
  console.log(JSON.stringify(await figures(traffic as Traffic, Number(marks), size === 'quick')));
  process.exit(0);
}
