// The few statistics that the benches need. Medians rather than means: one garbage collection or one neighbour on the
// machine must not decide a comparison.

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The p-th percentile (0–100), interpolated between neighbours. NaN for no values. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  const position = ((sorted.length - 1) * p) / 100;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}

/** Welch's t: how many standard errors two means lie apart, without assuming equal variances. */
export function welchT(a: readonly number[], b: readonly number[]): number {
  const spread = Math.sqrt(variance(a) / a.length + variance(b) / b.length);
  return spread === 0 ? 0 : (mean(a) - mean(b)) / spread;
}

/** Both samples without what lies above the p-th percentile of the two together (as dudect crops). */
export function cropTogether(
  a: readonly number[],
  b: readonly number[],
  p: number,
): [readonly number[], readonly number[]] {
  const limit = percentile([...a, ...b], p);
  return [a.filter((value) => value <= limit), b.filter((value) => value <= limit)];
}

/** A small seeded generator (mulberry32): the same figures on every machine. Returns numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
