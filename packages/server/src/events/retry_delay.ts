// When to try again: after about a second, then twice as long each time up to an hour, with a random part so that receivers that
// failed together do not come back together.

const first = 1000;
const longest = 3_600_000;

/** Milliseconds after the `failures`-th failure in a row. `random`: from 0 to 1. */
export function retryDelay(failures: number, random: number): number {
  const full = Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
  return Math.round(full / 2 + (full / 2) * random);
}
