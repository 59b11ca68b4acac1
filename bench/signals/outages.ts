// What each guard does when the one it depends on is killed, or hangs: a good token and one that was taken back before are shown to it ten
// times a second, and every answer is noted with its time.
import { setTimeout as sleep } from 'node:timers/promises';
import { formatNumber, type Table } from '../harness/table.ts';
import { type Guarded, type GuardedWorld, startGuardedWorld } from './guards.ts';
import type { Door } from './probes.ts';
import { startRedis } from './redis.ts';

export type Outcome = 'accepted' | 'refused' | '503' | 'no answer';

/** One line of the plot: what was answered, from when to when, in seconds. */
export interface Strip {
  readonly guard: string;
  readonly token: 'good' | 'taken back';
  readonly segments: readonly { readonly outcome: Outcome; readonly from: number; readonly until: number }[];
  /** Milliseconds: the slowest answer. */
  readonly slowest: number;
}

interface Watched {
  readonly guard: string;
  readonly guarded: Guarded;
  readonly door: Door;
}

/** Milliseconds. */
const interval = 100;
const lasts = 14_000;

export async function measureOutages(): Promise<readonly Table[]> {
  const world = await startGuardedWorld({ open: true });
  try {
    const watched = world.guarded.map(
      (guarded): Watched => ({ guard: guarded.name, guarded, door: '/normal' }),
    );
    const [ours] = world.guarded;
    if (ours !== undefined)
      watched.splice(1, 0, { guard: `${ours.name}, sensitive route`, guarded: ours, door: '/sensitive' });
    await kill(world);
    const killed = await watch(watched, world);
    const opened = await untilOpen(watched, world, () => startAgain(world));
    await sleep(3000);
    pause(world, 'SIGSTOP');
    const hung = await watch(watched, world);
    const resumed = await untilOpen(watched, world, async () => pause(world, 'SIGCONT'));
    return [
      outageTable('killed', 'What it asks, or hears from, is killed', killed, opened),
      outageTable('hung', 'It hangs: connections stay open and nothing is answered', hung, resumed),
    ];
  } finally {
    pause(world, 'SIGCONT');
    await world.stop();
  }
}

async function kill({ stage, redis }: GuardedWorld): Promise<void> {
  const dead = new Promise((resolve) => redis?.child.process.once('close', resolve));
  redis?.child.process.kill('SIGKILL');
  await Promise.all([stage.killAuth(), redis === undefined ? undefined : dead]);
}

async function startAgain({ stage, redis }: GuardedWorld): Promise<void> {
  if (redis !== undefined) redis.child = await startRedis(redis.port, redis.folder);
  await stage.startAuth();
}

function pause({ stage, redis }: GuardedWorld, signal: 'SIGSTOP' | 'SIGCONT'): void {
  redis?.child.process.kill(signal);
  try {
    stage.auth().process.kill(signal);
  } catch {
    // It does not run: nothing to wake.
  }
}

async function watch(watched: readonly Watched[], world: GuardedWorld): Promise<readonly Strip[]> {
  const lines = watched.flatMap((one) => [
    { ...one, token: 'good' as const, shown: world.tokens[0] ?? '' },
    { ...one, token: 'taken back' as const, shown: world.revoked },
  ]);
  return Promise.all(
    lines.map(async ({ guard, guarded, door, token, shown }): Promise<Strip> => {
      const answers: { at: number; outcome: Outcome; took: number }[] = [];
      const flying: Promise<void>[] = [];
      const start = performance.now();
      for (let at = 0; at < lasts; at += interval) {
        await sleep(Math.max(0, start + at - performance.now()));
        const asked = performance.now();
        const one = ask(guarded, shown, door).then((outcome) => {
          answers.push({ at: at / 1000, outcome, took: performance.now() - asked });
        });
        flying.push(one);
      }
      await Promise.all(flying);
      const slowest = Math.max(...answers.map(({ took }) => took));
      return { guard, token, segments: segmentsOf(answers), slowest };
    }),
  );
}

async function ask({ probe }: Guarded, token: string, door: Door): Promise<Outcome> {
  try {
    const { status } = await probe.ask(token, door);
    return status === 200 ? 'accepted' : status === 401 ? 'refused' : '503';
  } catch {
    return 'no answer';
  }
}

function segmentsOf(answers: readonly { at: number; outcome: Outcome }[]): Strip['segments'] {
  const segments: { outcome: Outcome; from: number; until: number }[] = [];
  for (const { at, outcome } of answers.toSorted((a, b) => a.at - b.at)) {
    const last = segments.at(-1);
    if (last?.outcome === outcome) last.until = at + interval / 1000;
    else segments.push({ outcome, from: at, until: at + interval / 1000 });
  }
  return segments;
}

/** Milliseconds from `heal` until every guard takes the good token again; undefined for those that always did. */
async function untilOpen(
  watched: readonly Watched[],
  { tokens }: GuardedWorld,
  heal: () => Promise<void>,
): Promise<readonly number[]> {
  await heal();
  const from = performance.now();
  return Promise.all(
    watched.map(async ({ guarded, door }) => {
      while ((await ask(guarded, tokens[0] ?? '', door)) !== 'accepted') {
        if (performance.now() - from > 30_000) return Number.POSITIVE_INFINITY;
        await sleep(20);
      }
      return performance.now() - from;
    }),
  );
}

function wordsOf({ segments }: Strip): string {
  const words = segments.map(({ outcome, from, until }, i) => {
    const last = i === segments.length - 1;
    return segments.length === 1
      ? outcome
      : `${outcome} ${last ? '' : `for ${(until - from).toFixed(1)} s`}`.trim();
  });
  return words.join(', then ');
}

function outageTable(key: string, title: string, strips: readonly Strip[], opened: readonly number[]): Table {
  const good = strips.filter(({ token }) => token === 'good');
  const back = strips.filter(({ token }) => token === 'taken back');
  return {
    title: `${title}: the ${lasts / 1000} s that follow`,
    columns: ['', 'a good token is', 'one taken back before is', 'slowest answer ms', 'open again after ms'],
    rows: good.map((strip, i) => [
      strip.guard,
      wordsOf(strip),
      wordsOf(back[i] ?? strip),
      formatNumber(Math.max(strip.slowest, back[i]?.slowest ?? 0)),
      strip.segments.every(({ outcome }) => outcome === 'accepted')
        ? 'never shut'
        : formatNumber(opened[i] ?? Number.NaN),
    ]),
    data: { [key]: strips },
  };
}
