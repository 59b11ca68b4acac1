// Gateways that hear nothing. First the auth server is cut off from its database but not from them, and revocations are made elsewhere;
// then it is killed. The limit of 10 s is waited for in real processes; the one of five minutes is met with moved clocks, in a
// hundred thousand requests over HTTP.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { allOf } from '../harness/proof.ts';
import { formatNumber } from '../harness/table.ts';
import { cutDatabase } from '../signals/database_cut.ts';
import { type MovedGateway, startMovedGateway } from '../signals/moved_gateway.ts';
import { ages, doors, judge, type TokenKind, tokenKinds } from '../signals/outage_rules.ts';
import { fetchTokens, type Holder, signInPeople } from '../signals/people.ts';
import { inLanes } from '../signals/pool.ts';
import { createProbe, type Door, type Probe, reasonOf } from '../signals/probes.ts';
import { type Gateway, type Stage, startStage } from '../signals/stage.ts';
import { counted } from '../signals/words.ts';

export const name = 'signals_outage';
export const goal =
  'auth server cut off from its database: sensitive routes refuse after 10 s, 0 revocations made elsewhere missed beyond the limits; stopped: 100,000 of 100,000 decisions as designed, before and after each limit; a gateway restarted meanwhile serves from its disk copy';

interface Setting {
  readonly stage: Stage;
  readonly gateways: readonly Gateway[];
  readonly probes: readonly Probe[];
  readonly moved: MovedGateway;
}

interface Trio {
  readonly good: Holder;
  readonly revoked: Holder;
  readonly stale: Holder;
}

/** Two real gateways, and one whose clocks are in our hands. */
async function prepare(stage: Stage): Promise<Setting> {
  const gateways = [await stage.startGateway(), await stage.startGateway()];
  const moved = await startMovedGateway(stage);
  return { stage, gateways, moved, probes: [...gateways, moved].map((gateway) => createProbe(gateway)) };
}

/** A token that lives, one that was revoked and one whose holder has changed, as every gateway knows. */
async function fetchTrio({ stage, probes }: Setting): Promise<Trio> {
  const [good, revoked, stale] = await fetchTokens(stage.authPort, signInPeople(stage.dataDir, [{}, {}, {}]));
  if (good === undefined || revoked === undefined || stale === undefined) throw new Error('nobody is there');
  await stage.admin.call(204, 'DELETE', `sessions/${revoked.sid}`);
  await stage.admin.call(200, 'PATCH', `users/${stale.id}`, { username: `x${stale.username.slice(1)}` });
  const from = performance.now();
  for (const probe of probes) await probe.untilRefused(revoked.accessToken, 'revoked', from);
  for (const probe of probes) await probe.untilRefused(stale.accessToken, 'stale', from);
  return { good, revoked, stale };
}

/** Milliseconds from `from` until a door does not answer 200 any more; throws when it then says anything but `reason`. */
async function untilShut(
  probe: Probe,
  token: string,
  door: Door,
  reason: string,
  from: number,
): Promise<number> {
  for (; performance.now() - from < 30_000; await sleep(20)) {
    const answer = await probe.ask(token, door);
    if (answer.status === 200) continue;
    if (answer.status !== 503 || reasonOf(answer) !== reason)
      throw new Error(`${answer.status}: ${answer.body}`);
    return performance.now() - from;
  }
  return Number.POSITIVE_INFINITY;
}

async function accepted(probes: readonly Probe[], holders: readonly Holder[], door: Door): Promise<number> {
  let count = 0;
  for (const probe of probes) {
    await inLanes(holders.length, 16, async (i) => {
      if ((await probe.ask((holders[i] as Holder).accessToken, door)).status === 200) count += 1;
    });
  }
  return count;
}

/** The server runs and answers, but cannot read: it must fall silent, and what is revoked elsewhere must not get through for long. */
async function cutOffFromDatabase(setting: Setting, people: number): Promise<ProofResult> {
  const { stage, probes, moved } = setting;
  const real = probes.slice(0, 2);
  const written = signInPeople(
    stage.dataDir,
    Array.from({ length: people + 1 }, () => ({})),
  );
  const [good, ...elsewhere] = await fetchTokens(stage.authPort, written);
  if (good === undefined) throw new Error('nobody is there');
  const cut = cutDatabase(stage.dataDir);
  const from = performance.now();
  cut.revokeElsewhere(elsewhere.map(({ sid }) => sid));
  let healed = 0;
  try {
    const shut = await Promise.all(
      real.map((probe) => untilShut(probe, good.accessToken, '/sensitive', 'signals_stale', from)),
    );
    const atSensitive = await accepted(real, elsewhere, '/sensitive');
    const normal = await accepted(real, [good], '/normal');
    moved.standAt(300_010);
    const atNormal = await accepted(probes.slice(2), elsewhere, '/normal');
    moved.run();
    cut.heal();
    healed = performance.now();
    const late = await Promise.all(
      probes.flatMap((probe) =>
        elsewhere.map(({ accessToken }) => probe.untilRefused(accessToken, 'revoked', healed)),
      ),
    );
    const missed = late.filter((took) => took === Number.POSITIVE_INFINITY).length;
    const worst = Math.max(...shut);
    return {
      figure: `cut off from its database: sensitive routes shut after at most ${formatNumber(worst)} ms, then ${atSensitive} of ${2 * elsewhere.length} tokens revoked elsewhere accepted there and ${atNormal} of ${elsewhere.length} at normal routes after five moved minutes, before that normal routes open at ${normal} of 2; healed, ${missed} missed, all in force after ${formatNumber(Math.max(...late))} ms`,
      pass: worst <= 10_100 && atSensitive + atNormal === 0 && normal === 2 && missed === 0,
    };
  } finally {
    if (healed === 0) cut.heal();
  }
}

/** Real processes: the limit of 10 s, and a gateway that starts while nobody can tell it anything. */
async function stopped(setting: Setting, { good, revoked }: Trio): Promise<ProofResult> {
  const { stage, gateways, probes } = setting;
  const from = performance.now();
  await stage.killAuth();
  const [first] = gateways;
  await first?.child.stop();
  const restarted = await stage.startGateway({ stateFile: first?.stateFile ?? '', waits: false });
  const again = createProbe(restarted);
  const served = (await again.ask(good.accessToken, '/normal')).status;
  const refused = await again.ask(revoked.accessToken, '/normal');
  const shut = await Promise.all(
    [again, probes[1] as Probe].map((probe) =>
      untilShut(probe, good.accessToken, '/sensitive', 'signals_stale', from),
    ),
  );
  const still = (await again.ask(good.accessToken, '/normal')).status;
  const stranger = await stage.startGateway({ waits: false });
  const unknown = await createProbe(stranger).ask(good.accessToken, '/normal');
  const worst = Math.max(...shut);
  return {
    figure: `stopped: a gateway restarted meanwhile answers ${served} from its disk copy, and ${refused.status} ${reasonOf(refused)} to a token revoked before; sensitive routes shut after at most ${formatNumber(worst)} ms, normal ones ${still}; a gateway without a copy ${unknown.status} ${reasonOf(unknown)}`,
    pass:
      served === 200 &&
      still === 200 &&
      reasonOf(refused) === 'revoked' &&
      worst <= 10_100 &&
      unknown.status === 503,
  };
}

/** Moved clocks: every kind of token at every kind of route, on both sides of each limit. */
async function decisions({ moved, probes }: Setting, trio: Trio, count: number): Promise<ProofResult> {
  const probe = probes[2] as Probe;
  const tokens = tokensOf(trio);
  const wrong: string[] = [];
  let decided = 0;
  for (const [turn, age] of ages.entries()) {
    moved.standAt(age);
    const share = Math.floor(((turn + 1) * count) / ages.length) - Math.floor((turn * count) / ages.length);
    await inLanes(share, 32, async (i) => {
      const kind = tokenKinds[i % tokenKinds.length] as TokenKind;
      const door = doors[Math.floor(i / tokenKinds.length) % doors.length] as Door;
      const fault = judge(await probe.ask(tokens[kind], door), door, kind, age);
      decided += 1;
      if (fault !== undefined) wrong.push(fault);
    });
  }
  const first = wrong.length === 0 ? '' : ` (${[...new Set(wrong)].slice(0, 3).join('; ')})`;
  return {
    figure: `${counted(decided - wrong.length)} of ${counted(decided)} decisions as designed${first}`,
    pass: wrong.length === 0 && decided === count,
  };
}

function tokensOf({ good, revoked, stale }: Trio): Readonly<Record<TokenKind, string>> {
  const forged = `${good.accessToken.slice(0, -8)}AAAAAAAA`;
  return {
    good: good.accessToken,
    revoked: revoked.accessToken,
    stale: stale.accessToken,
    forged,
    none: '',
  };
}

/** Everything is there again: every route opens by itself. */
async function healed({ stage, probes }: Setting, { good }: Trio): Promise<ProofResult> {
  await stage.startAuth();
  const from = performance.now();
  const second = probes[1] as Probe;
  while (performance.now() - from < 20_000) {
    if ((await second.ask(good.accessToken, '/sensitive')).status === 200) break;
    await sleep(20);
  }
  const took = performance.now() - from;
  return { figure: `started again, open after ${formatNumber(took)} ms`, pass: took < 20_000 };
}

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const stage = await startStage();
  try {
    const setting = await prepare(stage);
    const results = [await cutOffFromDatabase(setting, quick ? 20 : 200)];
    // Fetched last: beyond five minutes they must still live within the tolerance for clocks.
    const trio = await fetchTrio(setting);
    // The disk copy is written every few seconds: what is proved here is that it serves, not how old it may be.
    await sleep(6000);
    results.push(await stopped(setting, trio));
    results.push(await decisions(setting, trio, quick ? 4000 : 100_000));
    results.push(await healed(setting, trio));
    await setting.moved.close();
    return allOf(results);
  } finally {
    await stage.stop();
  }
}
