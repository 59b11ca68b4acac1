// What a check of `latchkey doctor` finds: good, to be looked at, or broken; with what to do about it.

export interface Finding {
  readonly check: string;
  readonly state: 'good' | 'look' | 'bad';
  readonly says: string;
  /** How to mend it; always there when something is bad. */
  readonly mend?: string;
}

export function good(check: string, says: string): Finding {
  return { check, state: 'good', says };
}

export function look(check: string, says: string, mend: string): Finding {
  return { check, state: 'look', says, mend };
}

export function bad(check: string, says: string, mend: string): Finding {
  return { check, state: 'bad', says, mend };
}
