// Three real gateways and one auth server. Ten thousand tokens are taken back in every way there is, under load, and each gateway is asked
// until it refuses; then the streams are cut a hundred times, and in the end every gateway is asked about every token again.
import { setTimeout as sleep } from 'node:timers/promises';
import { allOf, type ProofOptions, type ProofResult } from '../harness/proof.ts';
import { percentile } from '../harness/statistics.ts';
import { formatNumber } from '../harness/table.ts';
import {
  type CatchUp,
  type CutResult,
  catchUp,
  changeEpoch,
  closeLink,
  cutKinds,
  cutLink,
  type Link,
  startLink,
} from '../signals/cuts.ts';
import { fetchTokens, signInPeople } from '../signals/people.ts';
import { byTheClock, inLanes } from '../signals/pool.ts';
import { createProbe, type Probe, reasonOf, startSteadyLoad } from '../signals/probes.ts';
import { kindCount, prepareRevocations, type Revocation, revoke } from '../signals/revocations.ts';
import { type Stage, startStage } from '../signals/stage.ts';
import { counted } from '../signals/words.ts';

export const name = 'signals_gateways';
export const goal =
  '3 gateways, 10,000 revocations of all kinds under 500 requests/s: from the 204 to the refusal p99 < 200 ms, max < 1 s; 100 stream cuts: 0 missed after the heal, 10,000 marks caught up in < 2 s';

interface Size {
  readonly revocations: number;
  /** A second. */
  readonly rate: number;
  /** Of each kind at each gateway. */
  readonly rounds: number;
  readonly epochs: number;
  readonly catchUps: number;
  readonly marks: number;
}

const full: Size = { revocations: 10_000, rate: 200, rounds: 8, epochs: 4, catchUps: 3, marks: 10_000 };
const small: Size = { revocations: 500, rate: 100, rounds: 1, epochs: 1, catchUps: 1, marks: 2000 };

/** Requests a second, all gateways together. */
const load = 500;
/** Revocations made during each cut. */
const duringCut = 4;
const gatewayCount = 3;

/** Each token is good until it is revoked; then all gateways are asked at once, again and again. */
async function underLoad(stage: Stage, revocations: readonly Revocation[], size: Size): Promise<ProofResult> {
  const gateways = await Promise.all(Array.from({ length: gatewayCount }, () => stage.startGateway()));
  const probes = gateways.map((gateway) => createProbe(gateway));
  const people = signInPeople(
    stage.dataDir,
    Array.from({ length: 100 }, () => ({})),
  );
  const good = (await fetchTokens(stage.authPort, people)).map(({ accessToken }) => accessToken);
  const steady = startSteadyLoad(probes, good, load);
  await sleep(2000);
  const times: number[] = [];
  const worst = new Map<string, number>();
  await byTheClock(revocations.length, size.rate, 64, async (i) => {
    const one = revocations[i] as Revocation;
    const before = await (probes[i % probes.length] as Probe).ask(one.token);
    if (before.status !== 200) throw new Error(`${one.kind}: refused before it was revoked`);
    const from = await revoke(stage, one);
    const took = await Promise.all(probes.map((probe) => probe.untilRefused(one.token, one.reason, from)));
    times.push(...took);
    worst.set(one.kind, Math.max(worst.get(one.kind) ?? 0, ...took));
  });
  const { requests, failures } = await steady.stop();
  for (const probe of probes) probe.close();
  await Promise.all(gateways.map(({ child }) => child.stop()));
  const [p99, most] = [percentile(times, 99), percentile(times, 100)];
  const slowest = [...worst].sort((a, b) => b[1] - a[1])[0]?.[0];
  return {
    figure: `${counted(revocations.length)} revocations of ${worst.size} kinds at ${gateways.length} gateways, ${size.rate}/s beside ${load} requests/s: p50 ${formatNumber(percentile(times, 50))} ms, p99 ${formatNumber(p99)} ms, at most ${formatNumber(most)} ms (${slowest}); ${failures.length} of ${counted(requests)} good requests failed${failures[0] === undefined ? '' : ` (${failures[0]})`}`,
    pass: worst.size === kindCount && p99 < 200 && most < 1000 && failures.length === 0,
  };
}

async function cutManyTimes(
  stage: Stage,
  links: readonly Link[],
  take: (count: number) => readonly Revocation[],
  size: Size,
): Promise<ProofResult> {
  const cuts: CutResult[] = [];
  for (let epoch = 0; epoch < size.epochs; epoch += 1) {
    const rounds = Math.ceil((size.rounds - epoch) / size.epochs);
    await Promise.all(
      links.map(async (link) => {
        for (const kind of Array.from({ length: rounds }, () => cutKinds).flat())
          cuts.push(await cutLink(stage, link, kind, take(duringCut)));
      }),
    );
    cuts.push(await changeEpoch(stage, links, take(duringCut)));
  }
  const said = [...cutKinds, 'epoch change' as const].map((kind) => {
    const took = cuts.filter((cut) => cut.kind === kind).flatMap((cut) => cut.took);
    return `${kind} ${formatNumber(percentile(took, 100))}`;
  });
  const all = cuts.flatMap(({ took }) => took);
  const missed = all.filter((took) => took === Number.POSITIVE_INFINITY).length;
  return {
    figure: `${cuts.length} cuts: ${missed} of ${all.length} missed, the slowest in force after (ms) ${said.join(', ')}`,
    pass: missed === 0 && cuts.length === size.rounds * cutKinds.length * links.length + size.epochs,
  };
}

function caughtUp(results: readonly CatchUp[], marks: number): ProofResult {
  const worst = Math.max(...results.map(({ afterConnecting }) => afterConnecting));
  const whole = Math.max(...results.map(({ afterHealing }) => afterHealing));
  return {
    figure: `${counted(marks)} marks caught up ${results.length} times, at most ${formatNumber(worst)} ms after connecting again, ${formatNumber(whole)} ms after the link was whole`,
    pass: worst < 2000,
  };
}

/** Everything that was ever revoked, at every gateway. */
async function sweep(links: readonly Link[], revoked: readonly Revocation[]): Promise<ProofResult> {
  let accepted = 0;
  for (const { probe } of links) {
    await inLanes(revoked.length, 16, async (i) => {
      const { token, reason } = revoked[i] as Revocation;
      const answer = await probe.ask(token);
      if (answer.status !== 401 || reasonOf(answer) !== reason) accepted += 1;
    });
  }
  return {
    figure: `in the end ${accepted} of ${counted(links.length * revoked.length)} not refused`,
    pass: accepted === 0,
  };
}

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const size = quick ? small : full;
  const cuts = size.rounds * cutKinds.length * gatewayCount + size.epochs;
  const stage = await startStage({ accessTokenLife: 3600 });
  const links: Link[] = [];
  try {
    const all = await prepareRevocations(stage, size.revocations + cuts * duringCut + size.catchUps);
    const later = all.slice(size.revocations);
    const take = (count: number): readonly Revocation[] => later.splice(0, count);
    const results = [await underLoad(stage, all.slice(0, size.revocations), size)];
    while (links.length < gatewayCount) links.push(await startLink(stage));
    results.push(await cutManyTimes(stage, links, take, size));
    const caught: CatchUp[] = [];
    for (let i = 0; i < size.catchUps; i += 1)
      caught.push(...(await catchUp(stage, links, take(1)[0] as Revocation, size.marks)));
    results.push(caughtUp(caught, size.marks), await sweep(links, all));
    return allOf(results);
  } finally {
    await Promise.all(links.map(closeLink));
    await stage.stop();
  }
}
