// Connections that live on after their token was checked: server-sent events and WebSockets. Each is closed when its token
// expires, when a mark hits it, or, on a sensitive route, when revocations have not been heard of for too long (threat G11).
// Other answers are left to finish: a download does not stop because its token ran out on the way.
//
// One timer serves all of them; it wakes once a second while any stream is open.
import type { Admission } from './admission.ts';
import type { GatewayVerifier } from './options.ts';

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
}

/** An answer of HTTP without an end, or two joined connections. */
export type StreamKind = 'response' | 'tunnel';

interface OpenStream {
  readonly admission: Admission;
  readonly close: () => void;
  readonly kind: StreamKind;
}

/** Design section 6: a sensitive route refuses when the last `as_of` is older than this. */
const sensitiveLimit = 10_000;

export function createOpenStreams(verifier: GatewayVerifier | undefined, now: () => number): OpenStreams {
  const open = new Set<OpenStream>();

  const isMarked = ({ admission: { identity } }: OpenStream) =>
    identity !== undefined && verifier?.isRevoked(identity.claims, identity.kid) !== undefined;

  const end = (stream: OpenStream) => {
    open.delete(stream);
    stream.close();
  };

  const check = (marks: boolean) => {
    const staleFor = verifier?.status().staleForMs ?? 0;
    for (const stream of open) {
      const { identity, route } = stream.admission;
      if (identity === undefined || verifier === undefined) continue;
      const dead =
        identity.claims.exp * 1000 <= now() ||
        (route.sensitive && staleFor > sensitiveLimit) ||
        (marks && isMarked(stream));
      if (dead) end(stream);
    }
  };
  // Marks come in bursts: all that arrive in one turn are looked at together.
  let marksPending = false;
  const stopListening = verifier?.onMark(() => {
    if (marksPending || open.size === 0) return;
    marksPending = true;
    setImmediate(() => {
      marksPending = false;
      check(true);
    });
  });
  let timer: NodeJS.Timeout | undefined;

  return {
    watch(admission, connection, close, kind) {
      const stream = { admission, close, kind };
      open.add(stream);
      timer ??= setInterval(() => {
        if (open.size > 0) return check(false);
        clearInterval(timer);
        timer = undefined;
      }, 1000).unref();
      connection.once('close', () => open.delete(stream));
      // A mark may have come while the upstream was still thinking about its answer.
      if (isMarked(stream)) end(stream);
    },
    closeAll() {
      for (const stream of open) stream.close();
      open.clear();
    },
    stop() {
      clearInterval(timer);
      stopListening?.();
    },
    count(kind) {
      let count = 0;
      for (const stream of open) if (stream.kind === kind) count += 1;
      return count;
    },
  };
}
