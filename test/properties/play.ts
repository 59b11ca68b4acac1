// Plays one history: the real verifier against the model issuer, and after every step each token is shown to it and its answer
// judged. The clocks are the history's and stand still between steps; only what the verifier draws at random, its pauses
// before it connects again, takes real time.
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type SigningKey, TokenError } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import type { ForgeryKind, History, Step } from './history.ts';
import { forgedEvent, mangled } from './mangle.ts';
import { createModelIssuer, type Forgery } from './model_issuer.ts';
import { createModelWire, type ModelStream } from './model_wire.ts';
import { createReaderModel } from './reader_model.ts';
import {
  audience,
  beginning,
  forgedMarks,
  impostorOf,
  issuerAddress,
  keys,
  markOf,
  stranger,
  tokens,
} from './universe.ts';

/** What the histories showed, added up. */
export interface Tally {
  histories: number;
  steps: number;
  decisions: number;
  readonly answers: Record<string, number>;
  /** By what was done. */
  readonly played: Record<string, number>;
}

export class WrongDecision extends Error {
  override readonly name = 'WrongDecision';
  readonly accepted: boolean;

  constructor(message: string, accepted = false) {
    super(message);
    this.accepted = accepted;
  }
}

const healTime = 30_000;

export async function playHistory(history: History, tally: Tally): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lk-history-'));
  const world = createWorld(history, join(folder, 'state.json'), tally);
  try {
    await world.play({ do: 'heal' });
    for (const [index, step] of history.steps.entries()) {
      await world.play(step).catch((error) => {
        if (error instanceof WrongDecision)
          throw new WrongDecision(`step ${index} (${step.do}): ${error.message}`, error.accepted);
        throw error;
      });
    }
    await world.play({ do: 'heal' });
    tally.histories += 1;
  } finally {
    world.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function createWorld(history: History, stateFile: string, tally: Tally) {
  let time = beginning;
  let apart = history.skew * 1000;
  let monotonic = 1_000;
  const wall = (): number => time + apart;
  const issuer = createModelIssuer({ issuer: issuerAddress, now: () => time, keys });
  const revokedKeys: SigningKey[] = [];
  const model = createReaderModel(issuer, { wall, monotonic: () => monotonic });
  const knowsRevoked = ({ kid }: SigningKey): boolean =>
    [...model.told].some(({ mark }) => mark?.by === 'kid' && mark.value === kid);
  const stolen = (): SigningKey | undefined => revokedKeys.find(knowsRevoked);
  const wire = createModelWire({
    issuer,
    stranger,
    impostor: () => impostorOf(issuer.signing),
    stolen,
    forgedMarks,
  });
  let verifier = start();

  function start(): Verifier {
    return createVerifier({
      issuer: issuerAddress,
      audience,
      fetch: wire.fetch,
      now: wall,
      monotonic: () => monotonic,
      signatureCacheBytes: history.cache ? 1_000_000 : 0,
      ...(history.poll ? { signals: 'poll' as const, pollInterval: 500 } : {}),
      ...(history.stateFile ? { stateFile } : {}),
    });
  }

  function observe(restored = false): void {
    const fault = model.observe(verifier, restored);
    if (fault !== undefined) throw new WrongDecision(fault, true);
  }

  /** The clocks, after a look at what is known until now. */
  function pass(seconds: number, clocks: 'both' | 'wall' | 'monotonic' = 'both'): void {
    observe();
    time += seconds * 1000;
    // It never shows the very same millisecond again: within one, the verifier may remember how old its knowledge was.
    if (clocks === 'monotonic') apart -= seconds * 1000 - 1;
    if (clocks !== 'wall') monotonic += seconds * 1000;
  }

  function judge(): void {
    observe();
    for (const token of tokens) {
      for (const sensitive of [false, true]) {
        const answer = answerOf(verifier, token.text, sensitive);
        tally.decisions += 1;
        tally.answers[answer] = (tally.answers[answer] ?? 0) + 1;
        const fault = model.judge(verifier, token, sensitive, answer);
        const words = `${token.claims.jti}${sensitive ? ', sensitive' : ''}: ${fault}`;
        if (fault !== undefined) throw new WrongDecision(words, answer === 'accepted');
      }
    }
  }

  async function heal(): Promise<void> {
    for (const queue of Object.values(wire.faults)) queue.length = 0;
    // What is half open is only noticed by its silence.
    if ([...wire.streams].some(({ mute }) => mute)) pass(7);
    const since = issuer.lastMoment;
    const end = performance.now() + healTime;
    for (;;) {
      wire.beat();
      await settle();
      observe();
      if (isCurrent(since)) return;
      if (performance.now() > end) throw new WrongDecision(`it does not heal: ${words()}`);
      await pause(history.poll ? 50 : 5);
    }
  }

  function isCurrent(since: number): boolean {
    const { signals, connected, keys: held } = verifier.status();
    if (signals?.epoch !== issuer.epoch || signals.seq !== issuer.head()) return false;
    if ((signals.asOf ?? 0) <= since) return false;
    const { kids } = issuer;
    return (
      (history.poll || connected) && held.length === kids.length && kids.every((kid) => held.includes(kid))
    );
  }

  function words(): string {
    const { signals, connected, keys: held, lastFault } = verifier.status();
    return JSON.stringify({ ...signals, connected, keys: held.length, lastFault, head: issuer.head() });
  }

  async function restart(file: 'kept' | 'lost' | 'torn'): Promise<void> {
    observe();
    if (history.stateFile && file === 'kept' && !existsSync(stateFile)) await pause(200);
    verifier.close();
    for (const stream of [...wire.streams]) stream.fail();
    await settle();
    if (file === 'lost') rmSync(stateFile, { force: true });
    if (file === 'torn' && existsSync(stateFile))
      truncateSync(stateFile, Math.floor(readFileSync(stateFile).length / 2));
    model.restarted();
    verifier = start();
    observe(true);
  }

  /** An event and its heartbeat, or a heartbeat alone, that the issuer never made. */
  function forge(stream: ModelStream, how: ForgeryKind, empty: boolean): void {
    const id = `${issuer.epoch}-${stream.sent + 1}-forged`;
    const made = { seq: stream.sent + 1, at: 0, id, event: 'revoke', data: '', mark: undefined } as const;
    const batch = empty ? [] : [{ ...made, ...dataOf(forgedEvent(id)) }];
    const heartbeat = issuer.heartbeat(stream.closed, [...issuer.since(stream.closed), ...batch], {
      said: { as_of: time + 1_000_000, seq: stream.sent + batch.length },
      ...forgeryOf(how),
    });
    const text = how === 'unsigned' ? heartbeat.replace(/,"signature":"[^"]*"/, '') : heartbeat;
    stream.write((empty ? '' : forgedEvent(id)) + text);
  }

  function forgeryOf(how: ForgeryKind): Forgery {
    if (how === 'stranger') return { key: stranger };
    if (how === 'stolen') return { key: stolen() ?? stranger };
    if (how === 'wrong typ') return { typ: 'at+jwt' };
    if (how === 'wrong iss') return { said: { iss: `${issuerAddress}/other`, as_of: time + 1_000_000 } };
    return { key: impostorOf(issuer.signing) };
  }

  function cut(how: 'end' | 'fail' | 'mute'): void {
    for (const stream of [...wire.streams]) {
      if (how === 'mute') stream.mute = true;
      else stream[how]();
    }
  }

  function mangle({ how, at }: Step & { do: 'mangle' }): void {
    for (const stream of [...wire.streams]) {
      const next = `${issuer.epoch}-${issuer.head() + 1}-x`;
      wire.send(stream, mangled(wire.pending(stream), how, at, next));
      if (how === 'truncate') stream[at % 2 === 0 ? 'end' : 'fail']();
    }
  }

  function commit({ marks, send }: Step & { do: 'commit' }): void {
    for (const plan of marks) {
      const mark = markOf(plan, time);
      issuer.commit(mark.kind, mark);
    }
    if (send) wire.sendEvents();
  }

  function replay({ back, count }: Step & { do: 'replay' }): void {
    const { writings } = wire;
    const first = Math.max(0, writings.length - 1 - (back % Math.max(1, writings.length)));
    const text = writings.slice(first, first + count + 1).join('');
    for (const stream of wire.streams) stream.write(text);
  }

  async function act(step: Step): Promise<void> {
    switch (step.do) {
      case 'commit':
        return commit(step);
      case 'beat':
        return wire.beat();
      case 'pass':
        return pass(step.seconds, step.clocks);
      case 'jump':
        observe();
        apart += step.seconds * 1000;
        return;
      case 'mangle':
        return mangle(step);
      case 'replay':
        return replay(step);
      case 'forge':
        for (const stream of wire.streams) forge(stream, step.how, step.empty);
        return;
      case 'cut':
        return cut(step.how);
      case 'answer':
        wire.faults.snapshot.push(...step.snapshot);
        wire.faults.stream.push(...step.stream);
        if (step.jwks) wire.faults.jwks.push('refused');
        return cut('fail');
      case 'life':
        return issuer.setMaxLife(step.seconds);
      case 'rotate':
        return issuer.rotate(step.withdraw);
      case 'emergency': {
        const gone = issuer.revokeKey(step.listed);
        if (gone !== undefined) revokedKeys.push(gone);
        return;
      }
      case 'restore':
        issuer.restore(step.lost);
        return cut('fail');
      case 'restart':
        return await restart(step.file);
      case 'wait':
        return void (await pause(step.milliseconds));
      case 'heal':
        return await heal();
    }
  }

  return {
    async play(step: Step): Promise<void> {
      await act(step);
      await settle();
      judge();
      tally.steps += 1;
      tally.played[step.do] = (tally.played[step.do] ?? 0) + 1;
    },
    close(): void {
      verifier.close();
      for (const stream of [...wire.streams]) stream.fail();
    },
  };
}

function answerOf(verifier: Verifier, token: string, sensitive: boolean): string {
  try {
    verifier.verifySync(token, { sensitive });
    return 'accepted';
  } catch (error) {
    if (error instanceof TokenError) return error.code;
    throw error;
  }
}

/** Lets everything happen that needs no timer. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 8; turns += 1) await new Promise(setImmediate);
}

function dataOf(frame: string): { readonly data: string } {
  return { data: /^data: (.*)$/m.exec(frame)?.[1] ?? '' };
}
