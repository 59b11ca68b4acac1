// An issuer in memory, written from docs/protocol/signals.md alone: what it commits, what it signs, and what it may be held to. It knows
// nothing of our own sender, so a reader that agrees with it agrees with the page. Its clock is never the same twice:
// what was committed up to an `as_of` is exactly what came before it.
import { createHash } from 'node:crypto';
import { exportPublicJwk, type SigningKey, signJws } from '@latchkey/core';
import type { Mark } from '@latchkey/core/verifier';

export interface Commit {
  readonly seq: number;
  /** Milliseconds, the issuer's clock. */
  readonly at: number;
  /** The position after it. */
  readonly id: string;
  readonly event: 'revoke' | 'stale' | 'keys';
  readonly data: string;
  readonly mark: Mark | undefined;
}

interface Epoch {
  readonly name: string;
  readonly start: string;
  /** What the backup held that this epoch began with. */
  readonly inherited: readonly Commit[];
  readonly commits: Commit[];
}

/** What a signature of the issuer says of a moment. */
export interface Statement {
  readonly epoch: string;
  /** Seconds. */
  readonly maxLife: number;
}

export interface SignedSnapshot {
  readonly body: string;
  readonly etag: string;
  readonly signature: string;
}

/** Other words than the honest ones: what is signed, and with what. */
export interface Forgery {
  readonly key?: SigningKey;
  readonly typ?: string;
  readonly said?: Readonly<Record<string, unknown>>;
  /** Marks that nobody committed. */
  readonly marks?: readonly Mark[];
}

export type ModelIssuer = ReturnType<typeof createModelIssuer>;

export interface ModelIssuerOptions {
  readonly issuer: string;
  readonly now: () => number;
  /** The keys it has, one after the other. */
  readonly keys: readonly SigningKey[];
}

export function createModelIssuer({ issuer, now, keys }: ModelIssuerOptions) {
  const epochs: Epoch[] = [];
  const statements = new Map<number, Statement>();
  let published = keys.slice(0, 2);
  let used = 1;
  let signing = keys[0] as SigningKey;
  let last = 0;
  let maxLife = 300;
  let tags = 0;

  const current = (): Epoch => epochs.at(-1) as Epoch;
  const head = (): number => current().commits.length;
  const tick = (): number => {
    last = Math.max(last + 1, now());
    return last;
  };
  const position = (epoch: string, seq: number): string => {
    tags += 1;
    return `${epoch}-${seq}-t${tags.toString(36)}`;
  };

  const begin = (inherited: readonly Commit[]): void => {
    const name = `e${epochs.length + 1}x${Math.random().toString(36).slice(2, 8)}`;
    epochs.push({ name, start: position(name, 0), inherited, commits: [] });
  };

  const nextKey = (): SigningKey | undefined => {
    used += 1;
    return keys[used - 1];
  };

  const commit = (event: Commit['event'], mark?: Mark): Commit => {
    const seq = head() + 1;
    const { kind: _kind, ...data } = mark ?? { kind: undefined };
    const id = position(current().name, seq);
    const made = { seq, at: tick(), id, event, data: JSON.stringify(data), mark };
    current().commits.push(made);
    return made;
  };

  const sign = (payload: Record<string, unknown>, { key = signing, typ = 'signals+jwt' }: Forgery): string =>
    signJws({ alg: key.alg, kid: key.kid, typ }, JSON.stringify(payload), key);

  /** What it says of this moment. A forgery is nobody's word. */
  const state = (forgery: Forgery): Record<string, unknown> => {
    const asOf = tick();
    if (Object.keys(forgery).length === 0) statements.set(asOf, { epoch: current().name, maxLife });
    return { iss: issuer, epoch: current().name, seq: head(), as_of: asOf, max_life: maxLife };
  };

  const liveMarks = (): Mark[] => {
    const { inherited, commits } = current();
    const marks = [...inherited, ...commits].flatMap(({ mark }) => (mark === undefined ? [] : [mark]));
    return marks.filter(({ until }) => until === undefined || until > now());
  };

  begin([]);
  return {
    issuer,
    statements,
    commit,
    head,
    get epoch() {
      return current().name;
    },
    get kids() {
      return published.map(({ kid }) => kid);
    },
    get signing() {
      return signing;
    },
    get published() {
      return published;
    },
    get lastMoment() {
      return last;
    },
    setMaxLife(seconds: number) {
      maxLife = seconds;
    },
    jwks: () => JSON.stringify({ keys: published.map(exportPublicJwk) }),
    positionNow: () => current().commits.at(-1)?.id ?? current().start,
    /** What comes after `id`, or undefined when only the snapshot can tell. */
    after(id: string): readonly Commit[] | undefined {
      const { start, commits } = current();
      const at = id === start ? 0 : commits.findIndex((one) => one.id === id) + 1;
      return at === 0 && id !== start ? undefined : commits.slice(at);
    },
    since: (seq: number): readonly Commit[] => current().commits.slice(seq),
    heartbeat(from: number, batch: readonly Commit[], forgery: Forgery = {}): string {
      const said = { ...state(forgery), from, sha256: digest(batch.map(wordsOf).join('')), ...forgery.said };
      const { as_of, seq, max_life } = said as Record<string, unknown>;
      const data = { as_of, seq, max_life, signature: sign(said, forgery) };
      return `event: heartbeat\ndata: ${JSON.stringify(data)}\n\n`;
    },
    snapshot(forgery: Forgery = {}): SignedSnapshot {
      const said = state(forgery);
      const marks = group([...liveMarks(), ...(forgery.marks ?? [])]);
      const { iss, epoch, seq } = said;
      const body = JSON.stringify({ iss, epoch, seq, position: this.positionNow(), marks });
      const sha256 = digest(body);
      return { body, etag: `"${sha256}"`, signature: sign({ ...said, sha256, ...forgery.said }, forgery) };
    },
    /** `latchkey restore`: the last `lost` commits never happened, and a new epoch begins. */
    restore(lost: number): void {
      const { inherited, commits } = current();
      begin([...inherited, ...commits.slice(0, Math.max(0, commits.length - lost))]);
    },
    /** The next key signs. The one before it stays published, unless it is withdrawn. */
    rotate(withdraw: boolean): void {
      const next = nextKey();
      if (next === undefined) return;
      published = [...published.filter((key) => key !== next && !(withdraw && key === signing)), next];
      signing = next;
      commit('keys');
    },
    /** An emergency: another key signs, this one is marked for ever and gone, unless the set goes on listing it. */
    revokeKey(listed: boolean): SigningKey | undefined {
      const [gone, next] = [signing, nextKey()];
      if (next === undefined) return undefined;
      published = [...published.filter((key) => key !== next && (listed || key !== gone)), next];
      signing = next;
      commit('revoke', { kind: 'revoke', by: 'kid', value: gone.kid });
      commit('keys');
      return gone;
    },
    /** Everything that was committed in this epoch or before its beginning, up to a number or a moment. */
    committed(epoch: string, upTo: { readonly seq?: number; readonly at?: number } = {}): readonly Commit[] {
      const { seq = Number.POSITIVE_INFINITY, at = Number.POSITIVE_INFINITY } = upTo;
      const found = epochs.find(({ name }) => name === epoch);
      if (found === undefined) return [];
      return [...found.inherited, ...found.commits.filter((one) => one.seq <= seq && one.at <= at)];
    },
    everything: (): readonly Commit[] => epochs.flatMap(({ commits }) => commits),
    knowsEpoch: (epoch: string): boolean => epochs.some(({ name }) => name === epoch),
    /** The last moment that was said of an epoch. */
    lastSaid: (epoch: string): number =>
      Math.max(0, ...[...statements].filter(([, said]) => said.epoch === epoch).map(([asOf]) => asOf)),
  };
}

export function frameOf({ id, event, data }: Pick<Commit, 'id' | 'event' | 'data'>): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}

function wordsOf({ id, event, data }: Commit): string {
  return `${id}\n${event}\n${data}\n`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** One group for each kind and `by`; marks for ever stand apart from those with an end. */
function group(marks: readonly Mark[]): object[] {
  const groups = new Map<string, Mark[]>();
  for (const mark of marks) {
    const name = `${mark.kind} ${mark.by} ${mark.until === undefined}`;
    groups.set(name, [...(groups.get(name) ?? []), mark]);
  }
  return [...groups.values()].map((members) => {
    const { kind, by, below, until } = members[0] as Mark;
    return {
      kind,
      by,
      values: members.map(({ value }) => value),
      ...(below === undefined ? {} : { below: members.map((mark) => mark.below) }),
      ...(until === undefined ? {} : { until: members.map((mark) => mark.until) }),
    };
  });
}
