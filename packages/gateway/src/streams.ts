// Connections that live on after their token was checked: server-sent events and WebSockets. Each is closed when its token
// expires, when a mark hits it, or when revocations have not been heard of for as long as its route allows (threat G11).
// Other answers are left to finish: a download does not stop because its token ran out on the way.
//
// A mark asks only those streams that it names, and however many there are, they are asked and closed in small portions:
// ten thousand streams must not hold up a request. One timer serves all of them; it wakes once a second while any is open.
import type { MarkBy } from '@latchkey/core/verifier';
import type { Admission } from './admission.ts';
import type { GatewayVerifier } from './options.ts';
import { createStreamIndex } from './stream_index.ts';

export interface OpenStreams {
  /** Closes the connection through `close` when its token dies. `connection` tells when it is gone by itself. */
  watch(
    admission: Admission,
    connection: { once(event: 'close', listener: () => void): unknown },
    close: () => void,
    kind: StreamKind,
  ): void;
  closeAll(): void;
  /** Ends the timer and listens to no more marks. */
  stop(): void;
  count(kind: StreamKind): number;
  /** How many were closed because their token died. */
  readonly closed: number;
}

/** An answer of HTTP without an end, or two joined connections. */
export type StreamKind = 'response' | 'tunnel';

interface OpenStream {
  readonly admission: Admission;
  readonly close: () => void;
  readonly kind: StreamKind;
}

/** What one turn of the event loop may do: a look is cheap, closing a connection is not. */
const looksPerTurn = 1_000;
const closingsPerTurn = 50;

export function createOpenStreams(verifier: GatewayVerifier | undefined, now: () => number): OpenStreams {
  const open = new Set<OpenStream>();
  const index = createStreamIndex<OpenStream>();
  const counts = { response: 0, tunnel: 0 };
  let closed = 0;

  const isMarked = ({ admission: { identity } }: OpenStream) =>
    identity !== undefined && verifier?.isRevoked(identity.claims, identity.kid) !== undefined;

  const forget = (stream: OpenStream) => {
    if (!open.delete(stream)) return;
    counts[stream.kind] -= 1;
    if (stream.admission.identity !== undefined) index.remove(stream, stream.admission.identity);
    if (open.size === 0) listen(false);
  };
  const end = (stream: OpenStream) => {
    forget(stream);
    closed += 1;
    stream.close();
  };
  const portions = createPortions<OpenStream>((stream, isDead) => {
    if (!open.has(stream) || !isDead(stream)) return false;
    end(stream);
    return true;
  });
  // Only while a stream is open: a verifier that nobody listens to takes a large snapshot much faster.
  let stopListening: (() => void) | undefined;
  const listen = (on: boolean) => {
    if (!on) stopListening?.();
    stopListening = on ? (stopListening ?? verifier?.onMark(({ by, value }) => tell(by, value))) : undefined;
  };
  const tell = (by: MarkBy, value: string) => {
    const named = index.at(by, value);
    if (named !== undefined) portions.add(named, isMarked);
  };

  let timer: NodeJS.Timeout | undefined;
  const wake = () => {
    if (open.size === 0) {
      clearInterval(timer);
      timer = undefined;
    } else if (verifier !== undefined) portions.add(open, outlives(verifier, now()));
  };

  return {
    watch(admission, connection, close, kind) {
      const stream = { admission, close, kind };
      listen(true);
      open.add(stream);
      counts[kind] += 1;
      if (admission.identity !== undefined) index.add(stream, admission.identity);
      timer ??= setInterval(wake, 1000).unref();
      connection.once('close', () => forget(stream));
      // A mark may have come while the upstream was still thinking about its answer.
      if (isMarked(stream)) end(stream);
    },
    closeAll() {
      for (const stream of [...open]) {
        forget(stream);
        stream.close();
      }
    },
    stop() {
      clearInterval(timer);
      portions.stop();
      listen(false);
    },
    count: (kind) => counts[kind],
    get closed() {
      return closed;
    },
  };
}

/** Whether a stream has outlived its token, or what its route may do without news. Both are asked of the same moment. */
function outlives(verifier: GatewayVerifier, clock: number): (stream: OpenStream) => boolean {
  const { decides } = verifier.status();
  return ({ admission: { identity, route } }) =>
    identity !== undefined &&
    (identity.claims.exp * 1000 <= clock || !(route.sensitive ? decides.sensitive : decides.normal));
}

interface Portions<Item> {
  /** Looks at all of these, in turns. What is added once more while it waits is looked at once. */
  add(items: ReadonlySet<Item>, isDead: (item: Item) => boolean): void;
  stop(): void;
}

function createPortions<Item>(
  endIfDead: (item: Item, isDead: (item: Item) => boolean) => boolean,
): Portions<Item> {
  const waiting = new Map<ReadonlySet<Item>, (item: Item) => boolean>();
  let turn: NodeJS.Immediate | undefined;

  function* dueLooks(): Generator<boolean> {
    for (const [items, isDead] of waiting) {
      // Taken out first: a mark that comes while these are looked at puts them back.
      waiting.delete(items);
      for (const item of items) yield endIfDead(item, isDead);
    }
  }
  let looks = dueLooks();

  const takeTurn = () => {
    turn = undefined;
    let closings = 0;
    for (let count = 0; count < looksPerTurn && closings < closingsPerTurn; count += 1) {
      const { done, value } = looks.next();
      if (done === true) {
        looks = dueLooks();
        if (waiting.size === 0) return;
      } else if (value) closings += 1;
    }
    turn ??= setImmediate(takeTurn);
  };

  return {
    add(items, isDead) {
      waiting.set(items, isDead);
      turn ??= setImmediate(takeTurn);
    },
    stop() {
      clearImmediate(turn);
      waiting.clear();
    },
  };
}
