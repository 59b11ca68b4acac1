// What a verifier may answer, judged from outside: from the promises of docs/protocol/signals.md, what the issuer committed, and
// what the verifier claims to know. It follows no frame. Where the page leaves a choice (how exactly the difference of two clocks
// is measured) there is a lower and an upper bound, and only what lies outside both is wrong.
import type { AccessTokenClaims } from '@latchkey/core';
import type { Mark, MarkHit, Verifier } from '@latchkey/core/verifier';
import type { Commit, ModelIssuer } from './model_issuer.ts';
import type { KnownToken } from './universe.ts';

export interface Clocks {
  /** Milliseconds: the verifier's wall clock. */
  readonly wall: () => number;
  readonly monotonic: () => number;
}

interface Heard {
  readonly asOf: number;
  readonly maxLife: number;
  readonly wall: number;
  readonly monotonic: number;
  /** From a state file: it was old already, and no difference of clocks was measured. */
  readonly restored: boolean;
}

const tolerance = 30_000;
const slack = 1_000;

/** The one rule: any mark that applies. `revoked` goes before `stale`. */
function hitBy(marks: Iterable<Mark>, { claims, kid }: KnownToken, clock: number): MarkHit | undefined {
  let hit: MarkHit | undefined;
  for (const mark of marks) {
    if (mark.until !== undefined && mark.until <= clock) continue;
    if (!applies(mark, claims, kid)) continue;
    if (mark.kind === 'revoke') return 'revoked';
    hit = 'stale';
  }
  return hit;
}

function applies({ by, value, below = 0 }: Mark, claims: AccessTokenClaims, kid: string): boolean {
  switch (by) {
    case 'jti':
    case 'sid':
      return claims[by] === value;
    case 'client':
      return claims.client_id === value;
    case 'kid':
      return kid === value;
    case 'sub':
      return claims.sub === value && claims.ver < below;
    case 'role':
      return claims.roles.includes(value) && claims.rver < below;
  }
}

export function createReaderModel(issuer: ModelIssuer, { wall, monotonic }: Clocks) {
  /** What this life of the verifier has been told, by its own account. */
  const told = new Set<Commit>();
  let heard: Heard | undefined;
  let position: { readonly epoch: string; readonly seq: number } | undefined;
  let highest = Number.NEGATIVE_INFINITY;
  let differences: { readonly at: number; readonly value: number }[] = [];

  const tell = (commits: readonly Commit[]): void => {
    for (const commit of commits) told.add(commit);
  };
  const marksOf = (commits: Iterable<Commit>): Mark[] =>
    [...commits].flatMap(({ mark }) => (mark === undefined ? [] : [mark]));
  const clock = (): number => Math.max(wall(), heard?.asOf ?? 0);

  /** The least and the most that the age of its knowledge can be, in milliseconds. */
  const age = (): { least: number; most: number } => {
    if (heard === undefined) return { least: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY };
    const since = monotonic() - heard.monotonic;
    const apart = wall() - heard.asOf;
    if (heard.restored) {
      const before = Math.max(0, heard.wall - heard.asOf);
      const least = Math.max(since + Math.max(0, before - tolerance), apart - tolerance);
      return { least, most: Math.max(since + before, apart) };
    }
    const late = differences.filter(({ at }) => monotonic() - at <= 60_000).map(({ value }) => value);
    const least = apart - Math.min(tolerance, ...late);
    const most = apart - Math.min(tolerance, ...differences.map(({ value }) => value));
    return { least: Math.max(since, least), most: Math.max(since, most) };
  };

  return {
    told,
    get heardAt() {
      return heard?.asOf;
    },
    /** To be called before a clock is moved, and before anything is judged. Answers what is wrong with its own account. */
    observe(verifier: Verifier, restored = false): string | undefined {
      const { asOf, epoch, seq } = verifier.status().signals ?? {};
      highest = Math.max(highest, wall());
      if (asOf !== undefined && asOf !== heard?.asOf) {
        if (heard !== undefined && asOf < heard.asOf) return 'its `as_of` went back';
        const statement = issuer.statements.get(asOf);
        if (statement === undefined) return 'its `as_of` was never said';
        heard = { asOf, maxLife: statement.maxLife, wall: wall(), monotonic: monotonic(), restored };
        highest = Math.max(highest, asOf);
        if (!restored) differences.push({ at: monotonic(), value: wall() - asOf });
        tell(issuer.committed(statement.epoch, { at: asOf }));
      }
      if (epoch === undefined || seq === undefined) return undefined;
      if (position?.epoch === epoch && position.seq === seq) return undefined;
      if (!issuer.knowsEpoch(epoch)) return 'its epoch does not exist';
      if (position?.epoch === epoch && seq < position.seq) return 'its position went back';
      if (position?.epoch !== epoch && issuer.lastSaid(epoch) < (heard?.asOf ?? 0) - 60_000)
        return 'it went back to an epoch that is over';
      position = { epoch, seq };
      tell(issuer.committed(epoch, { seq }));
      return undefined;
    },
    /** A new process: it knows what it says it knows, and nothing more. */
    restarted(): void {
      told.clear();
      heard = undefined;
      position = undefined;
      differences = [];
    },
    /** What is wrong with this answer; undefined when nothing is. */
    judge(verifier: Verifier, token: KnownToken, sensitive: boolean, answer: string): string | undefined {
      const { ready, keys } = verifier.status();
      if (!ready) return answer === 'unavailable' ? undefined : `${answer}, but it knows nothing yet`;
      if (!keys.includes(token.kid)) {
        // A key that was taken away has left the set, and its holders are told that a new token helps.
        const removed = marksOf(issuer.everything()).some(
          ({ by, value }) => by === 'kid' && value === token.kid,
        );
        const right = answer === 'unknown_key' || (answer === 'revoked' && removed);
        return right ? undefined : `${answer}, but it does not have the key`;
      }
      const limit = sensitive ? 10_000 : Math.max(heard?.maxLife ?? 0, 300) * 1000;
      const { least, most } = age();
      const now = clock();
      const expired = Math.floor(now / 1000) >= token.claims.exp + 30;
      const must = hitBy(certain(marksOf(told), token, now), token, now);
      switch (answer) {
        case 'accepted':
          if (expired) return 'accepted after its end';
          if (must !== undefined) return `accepted, although ${must}`;
          return least > limit + slack ? `accepted with knowledge of ${least} ms ago` : undefined;
        case 'expired':
          return expired ? undefined : 'expired before its end';
        case 'revoked':
          return hitBy(marksOf(issuer.everything()).filter(isRevoke), token, now) === undefined
            ? 'revoked by nobody'
            : undefined;
        case 'stale':
          if (must === 'revoked') return 'stale, although revoked';
          return hitBy(marksOf(issuer.everything()).filter(isStale), token, now) === undefined
            ? 'stale by nobody'
            : undefined;
        case 'signals_stale':
          return most <= limit - slack ? `too old with knowledge of ${most} ms ago` : undefined;
        default:
          return `${answer}, which is no answer to this token`;
      }
    },
  };

  /** Where a clock was set back over the end of a mark, a token that outlives the mark may be answered either way. */
  function certain(marks: Mark[], { claims }: KnownToken, now: number): Mark[] {
    return marks.filter(
      ({ until }) =>
        until === undefined || until > Math.max(highest, now) || until >= (claims.exp + 30) * 1000,
    );
  }
}

const isRevoke = ({ kind }: Mark): boolean => kind === 'revoke';
const isStale = ({ kind }: Mark): boolean => kind === 'stale';
