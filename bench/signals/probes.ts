// Asking gateways whether they still take a token. The time to a refusal runs from the answer of the revoking call to the *answer* of
// the first refused request, so what is reported is never less than the truth: the probe's own way there and back is in it, and
// its wait for a free connection.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, buildRequest } from '../harness/http_connection.ts';
import { createPool, type Pool } from './pool.ts';
import { bearer, type Gateway } from './stage.ts';

export type Door = '/normal' | '/sensitive' | '/write' | '/open';

export interface Probe {
  /** An empty token is none. */
  readonly ask: (token: string, door?: Door) => Promise<Answer>;
  /**
   * Milliseconds since `from`; infinite when it is still taken after `patience`. Throws on a refusal for another reason than the one
   * that is named.
   */
  readonly untilRefused: (
    token: string,
    reason: string | undefined,
    from: number,
    patience?: number,
  ) => Promise<number>;
  readonly close: () => void;
}

/** Milliseconds between two questions about the same token. */
const pause = 3;

export function createProbe({ port }: Pick<Gateway, 'port'>, connections = 32): Probe {
  const pool: Pool = createPool(port, connections);
  const ask: Probe['ask'] = (token, door = '/normal') =>
    pool.send(buildRequest({ method: 'GET', path: door, headers: token === '' ? {} : bearer(token) }));
  return {
    ask,
    async untilRefused(token, reason, from, patience = 10_000) {
      for (;;) {
        const answer = await ask(token);
        const took = performance.now() - from;
        if (answer.status === 401 && (reason === undefined || reasonOf(answer) === reason)) return took;
        if (answer.status !== 200)
          throw new Error(`expected ${reason}, got ${answer.status}: ${answer.body}`);
        if (took > patience) return Number.POSITIVE_INFINITY;
        await sleep(pause);
      }
    },
    close: pool.close,
  };
}

export function reasonOf({ body }: Answer): string | undefined {
  return /"reason":"(\w+)"/.exec(body)?.[1];
}

/** Good requests by the clock until stopped, each gateway in turn; what is not answered 200 is counted and kept in words. */
export interface SteadyLoad {
  readonly stop: () => Promise<{ readonly requests: number; readonly failures: readonly string[] }>;
}

export function startSteadyLoad(
  probes: readonly Probe[],
  tokens: readonly string[],
  rate: number,
): SteadyLoad {
  const failures: string[] = [];
  const flying = new Set<Promise<void>>();
  let requests = 0;
  const send = async (i: number): Promise<void> => {
    try {
      const answer = await (probes[i % probes.length] as Probe).ask(tokens[i % tokens.length] ?? '');
      if (answer.status !== 200) failures.push(`${answer.status} ${reasonOf(answer)}`);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : 'fault');
    }
  };
  const start = performance.now();
  const timer = setInterval(() => {
    // As many as are due, however late the timer was.
    for (const due = ((performance.now() - start) * rate) / 1000; requests < due; requests += 1) {
      const one = send(requests).finally(() => flying.delete(one));
      flying.add(one);
    }
  }, 4);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(flying);
      return { requests, failures };
    },
  };
}
