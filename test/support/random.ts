// Seeded randomness for tests: the same seed gives the same run, on every machine.

export interface Random {
  /** 0 ≤ n < below. */
  integer(below: number): number;
  pick<T>(items: readonly T[]): T;
}

/** A 32-bit xorshift: good enough to mix cases, and for nothing else. */
export function seededRandom(seed: number): Random {
  let state = seed | 0 || 1;
  const integer = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  return {
    integer,
    pick(items) {
      const item = items[integer(items.length)];
      if (item === undefined) throw new TypeError('nothing to pick from');
      return item;
    },
  };
}
