// Which open streams a mark can hit: by every name that a mark may call a token by. A mark then costs what it hits, and not
// a look at every open connection.
import type { MarkBy } from '@latchkey/core/verifier';
import type { Identity } from './authenticate.ts';

export interface StreamIndex<Stream> {
  add(stream: Stream, identity: Identity): void;
  remove(stream: Stream, identity: Identity): void;
  /** Undefined when there is none. */
  at(by: MarkBy, value: string): ReadonlySet<Stream> | undefined;
}

export function createStreamIndex<Stream>(): StreamIndex<Stream> {
  const names: Record<MarkBy, Map<string, Set<Stream>>> = {
    jti: new Map(),
    sid: new Map(),
    client: new Map(),
    kid: new Map(),
    sub: new Map(),
    role: new Map(),
  };
  return {
    add(stream, identity) {
      for (const [by, value] of namesOf(identity)) {
        const known = names[by].get(value);
        if (known === undefined) names[by].set(value, new Set([stream]));
        else known.add(stream);
      }
    },
    remove(stream, identity) {
      for (const [by, value] of namesOf(identity)) {
        const known = names[by].get(value);
        known?.delete(stream);
        if (known?.size === 0) names[by].delete(value);
      }
    },
    at: (by, value) => names[by].get(value),
  };
}

function* namesOf({ claims, kid }: Identity): Generator<readonly [MarkBy, string]> {
  yield ['jti', claims.jti];
  yield ['sid', claims.sid];
  yield ['client', claims.client_id];
  yield ['kid', kid];
  yield ['sub', claims.sub];
  for (const role of claims.roles) yield ['role', role];
}
