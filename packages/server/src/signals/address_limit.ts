// How often one address may ask for something, as a token bucket: `burst` at once, and `perSecond` in the long run. Bounded: of
// more addresses than are kept, those that asked longest ago are forgotten.
import { AuthError } from '../errors.ts';

export interface AddressLimitOptions {
  readonly perSecond: number;
  readonly burst: number;
  /** Addresses kept. @default 10000 */
  readonly addresses?: number;
  /** Milliseconds, monotonic. @default performance.now */
  readonly monotonic?: () => number;
}

interface Bucket {
  readonly left: number;
  readonly at: number;
}

/** Throws AuthError `rate_limited` with the seconds after which asking again makes sense. */
export function createAddressLimit(options: AddressLimitOptions): (address: string) => void {
  const { perSecond, burst, addresses = 10_000 } = options;
  const monotonic = options.monotonic ?? (() => performance.now());
  const buckets = new Map<string, Bucket>();
  return (address) => {
    const now = monotonic();
    const { left, at } = buckets.get(address) ?? { left: burst, at: now };
    const filled = Math.min(burst, left + ((now - at) / 1000) * perSecond);
    const isRefused = filled < 1;
    // Written last, it stands last: the first one is the one that asked longest ago.
    buckets.delete(address);
    buckets.set(address, { left: isRefused ? filled : filled - 1, at: now });
    for (const oldest of buckets.keys()) {
      if (buckets.size <= addresses) break;
      buckets.delete(oldest);
    }
    if (!isRefused) return;
    const retryAfter = Math.ceil((1 - filled) / perSecond);
    throw new AuthError('rate_limited', 'This address asks too often.', { retryAfter });
  };
}
