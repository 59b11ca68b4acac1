// Token buckets for a route's rates, by client address and by subject. A bucket holds `requests` and refills evenly over
// `seconds`.
//
// The memory is bounded: at most `maxKeys` buckets, and the one that was asked longest ago goes first. By then it has
// usually filled up again, so forgetting it gives nothing away; a flood of new addresses can only forget itself.
import type { Rate } from './options.ts';

export interface RateLimiter {
  /** Takes one request from the key's bucket. 0 when it was there, else the seconds until one will be. */
  take(key: string, now: number): number;
  readonly size: number;
}

interface Bucket {
  tokens: number;
  /** Milliseconds, when `tokens` was true. */
  at: number;
}

export function createRateLimiter({ requests, seconds }: Rate, maxKeys = 50_000): RateLimiter {
  const buckets = new Map<string, Bucket>();
  const perMillisecond = requests / (seconds * 1000);
  return {
    take(key, now) {
      const bucket = buckets.get(key) ?? { tokens: requests, at: now };
      // A clock that steps back must not refill, nor lock anybody out until it has caught up.
      bucket.tokens = Math.min(requests, bucket.tokens + Math.max(0, now - bucket.at) * perMillisecond);
      bucket.at = now;
      buckets.delete(key);
      buckets.set(key, bucket);
      if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value as string);
      if (bucket.tokens < 1) return (1 - bucket.tokens) / perMillisecond / 1000;
      bucket.tokens -= 1;
      return 0;
    },
    get size() {
      return buckets.size;
    },
  };
}
