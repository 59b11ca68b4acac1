// Active health checks: GET on an upstream's health path, every few seconds, one at a time for each upstream. Any 2xx is
// well; an error, another status or silence is not. Upstreams without a health path are judged by their traffic alone.
import type { Upstream } from './upstreams.ts';

export interface HealthCheck {
  readonly upstream: Upstream;
  readonly path: string;
}

/** Starts checking; the returned function stops it. A check takes at most `interval` milliseconds. */
export function startHealthChecks(checks: readonly HealthCheck[], interval: number): () => void {
  if (checks.length === 0) return () => {};
  const running = new Set<Upstream>();
  const round = () => {
    for (const { upstream, path } of checks) {
      if (running.has(upstream)) continue;
      running.add(upstream);
      void isWell(upstream, path, interval).then((well) => {
        running.delete(upstream);
        upstream.setHealth(well);
      });
    }
  };
  round();
  const timer = setInterval(round, interval);
  timer.unref();
  return () => clearInterval(timer);
}

function isWell(upstream: Upstream, path: string, limit: number): Promise<boolean> {
  return new Promise((resolve) => {
    const host = new URL(upstream.origin).host;
    const request = upstream.send('GET', path, ['Host', host, 'Connection', 'close'], true);
    const timer = setTimeout(() => request.destroy(), limit);
    timer.unref();
    const finish = (well: boolean) => {
      clearTimeout(timer);
      resolve(well);
      request.destroy();
    };
    request.on('response', (response) => {
      response.resume();
      finish((response.statusCode ?? 0) >= 200 && (response.statusCode ?? 0) < 300);
    });
    request.on('error', () => finish(false));
    request.on('close', () => finish(false));
    request.end();
  });
}
