// Where requests go. One `Upstream` for each origin, shared by all routes: a pool of kept connections and a state of health.
// A `Pool` is the list of one route, taken in turn.
//
// Health is noticed in two ways: a failed connection or a first byte that did not come in time takes the upstream out for a
// while (longer each time), and where the route has a health path that is asked every few seconds. When none is well, the one
// that may try again soonest is tried all the same: a guess is better than a certain refusal.
import http from 'node:http';
import https from 'node:https';

export interface Upstream {
  readonly origin: string;
  /** Opens a request; `fresh` on a connection of its own, never a kept one. The caller ends it. */
  send(method: string, target: string, headers: readonly string[], fresh?: boolean): http.ClientRequest;
  succeeded(): void;
  failed(now: number): void;
  setHealth(well: boolean): void;
  /** Milliseconds since the epoch before which it should be left alone; 0 when well. */
  readonly downUntil: number;
  close(): void;
}

/** Failures in a row before an upstream is left alone: one may be bad luck. */
const failuresBeforeDown = 2;
const shortestDown = 1_000;
const longestDown = 30_000;

/**
 * Kept connections are dropped after this much idleness, milliseconds: most servers close theirs after 5 s, and a request that
 * meets the closing may not be repeated if it is a POST.
 */
const idleTime = 4_000;

export function createUpstream(origin: string, idle = idleTime): Upstream {
  const { protocol, hostname, port } = new URL(origin);
  const secure = protocol === 'https:';
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  // Last in, first out: the connection used last is the least likely to have been closed at the other end.
  const settings = { keepAlive: true, scheduling: 'lifo', maxFreeSockets: 256, timeout: idle } as const;
  const agent = secure ? new https.Agent({ ...settings, minVersion: 'TLSv1.2' }) : new http.Agent(settings);
  const base = {
    host,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    setHost: false,
    // Never taken from the client's Host field.
    ...(secure ? { servername: /^[0-9.]+$|:/.test(host) ? '' : host } : {}),
  };
  let failures = 0;
  let downUntil = 0;
  let ill = false;

  return {
    origin,
    send(method, path, headers, fresh = false) {
      const options = { ...base, method, path, headers, agent: fresh ? false : agent };
      return secure ? https.request(options) : http.request(options);
    },
    succeeded() {
      failures = 0;
      downUntil = 0;
    },
    failed(now) {
      failures += 1;
      if (failures < failuresBeforeDown) return;
      downUntil =
        now + Math.min(longestDown, shortestDown * 2 ** Math.min(10, failures - failuresBeforeDown));
    },
    setHealth(well) {
      ill = !well;
      if (well) {
        failures = 0;
        downUntil = 0;
      }
    },
    get downUntil() {
      return ill ? Number.MAX_SAFE_INTEGER : downUntil;
    },
    close() {
      agent.destroy();
    },
  };
}

export interface Pool {
  /** The next upstream in turn that is well and not among `tried`; undefined when all were tried. */
  pick(now: number, tried?: readonly Upstream[]): Upstream | undefined;
}

export function createPool(upstreams: readonly Upstream[]): Pool {
  let turn = 0;
  return {
    pick(now, tried = []) {
      let best: Upstream | undefined;
      turn = (turn + 1) % upstreams.length;
      for (let step = 0; step < upstreams.length; step += 1) {
        const upstream = upstreams[(turn + step) % upstreams.length] as Upstream;
        if (tried.includes(upstream)) continue;
        if (upstream.downUntil <= now) return upstream;
        if (best === undefined || upstream.downUntil < best.downUntil) best = upstream;
      }
      return best;
    },
  };
}
