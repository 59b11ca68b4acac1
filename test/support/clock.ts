// A clock in the test's hands: what `options.now` is given. It stands still until it is moved, so that nothing depends on
// how fast the machine is.

export interface MovedClock {
  readonly now: () => number;
  /** Seconds; fractions and negative ones too. */
  move(seconds: number): void;
}

export function movedClock(start = Date.now()): MovedClock {
  let time = start;
  return {
    now: () => time,
    move(seconds) {
      time += Math.round(seconds * 1000);
    },
  };
}
