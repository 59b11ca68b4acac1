// The kinds of values a setting can have. Each kind reads a value as it comes from the environment or a flag (always
// text) and as it comes from a configuration file (typed), and answers with the value or with what is wrong with it.
// A fault says what was expected and never repeats the value: the caller knows whether it may be shown.

export type Reading<T = unknown> = { readonly value: T } | { readonly fault: string };

export interface Kind {
  /** What belongs here, for messages and the documentation: "a port from 0 to 65535". */
  readonly expected: string;
  /** From the environment or a flag. */
  readonly fromText: (text: string) => Reading;
  /** From the configuration file. */
  readonly fromConfig: (value: unknown) => Reading;
}

function kind(expected: string, accept: (value: unknown) => unknown, parse: (text: string) => unknown): Kind {
  const read = (value: unknown): Reading => {
    const accepted = accept(value);
    return accepted === undefined ? { fault: `expected ${expected}` } : { value: accepted };
  };
  return { expected, fromText: (text) => read(parse(text)), fromConfig: read };
}

const asIs = (text: string): unknown => text;
const plainNumber = (text: string): unknown => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);

export const text: Kind = kind(
  'text',
  (value) => (typeof value === 'string' && value !== '' ? value : undefined),
  asIs,
);

/** A file or folder; made absolute by whoever knows what it is relative to. */
export const path: Kind = kind(
  'a path',
  (value) => (typeof value === 'string' && value !== '' ? value : undefined),
  asIs,
);

export function whole(from: number, to: number): Kind {
  const accept = (value: unknown) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= from && value <= to
      ? value
      : undefined;
  return kind(`a whole number from ${from} to ${to}`, accept, plainNumber);
}

export const port: Kind = (() => {
  const base = whole(0, 65535);
  const expected = 'a port from 0 to 65535 (0 chooses a free one)';
  return {
    expected,
    fromConfig: (value) =>
      'value' in base.fromConfig(value) ? { value } : { fault: `expected ${expected}` },
    fromText: (given) => {
      // Kubernetes sets NAME_PORT=tcp://… for every Service of that name.
      if (given.startsWith('tcp://')) {
        return {
          fault: `expected ${expected}; Kubernetes sets it for a Service of this name: enableServiceLinks: false`,
        };
      }
      const reading = base.fromText(given);
      return 'value' in reading ? reading : { fault: `expected ${expected}` };
    },
  };
})();

/** Seconds. */
export const minutes = 60;
export const days = 86_400;

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: minutes, h: 3600, d: days };

/** Seconds: a number, or text with a unit such as `90s`, `15m`, `12h`, `14d`. */
export function duration(from: number, to: number): Kind {
  const accept = (value: unknown) => {
    const seconds = typeof value === 'string' ? parseDuration(value) : value;
    return typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds >= from && seconds <= to
      ? seconds
      : undefined;
  };
  return kind(
    `${durationText(from)} to ${durationText(to)} (a number of seconds, or 90s, 15m, 12h, 14d)`,
    accept,
    asIs,
  );
}

function parseDuration(given: string): number | undefined {
  const match = /^(\d{1,10})([smhd]?)$/.exec(given);
  return match === null ? undefined : Number(match[1]) * (unitSeconds[match[2] || 's'] ?? 1);
}

/** The shortest way to write a number of seconds: 1209600 is `14d`. */
export function durationText(seconds: number): string {
  for (const unit of ['d', 'h', 'm']) {
    const size = unitSeconds[unit]!;
    if (seconds >= size && seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}

export const flag: Kind = kind(
  'true or false',
  (value) => (typeof value === 'boolean' ? value : undefined),
  (given) => ({ true: true, false: false, 1: true, 0: false })[given],
);

export function oneOf(...choices: readonly string[]): Kind {
  const accept = (value: unknown) =>
    typeof value === 'string' && choices.includes(value) ? value : undefined;
  return kind(`one of ${choices.join(', ')}`, accept, asIs);
}

export const list: Kind = kind(
  'a list of texts (in the environment: separated by commas)',
  (value) =>
    Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')
      ? value
      : undefined,
  (given) =>
    given
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
);

export const url: Kind = kind('an http or https address such as https://id.example.com', acceptUrl, asIs);

function acceptUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const parsed = new URL(value);
  const bare =
    parsed.search === '' && parsed.hash === '' && parsed.username === '' && parsed.pathname === '/';
  return /^https?:$/.test(parsed.protocol) && bare ? parsed.origin : undefined;
}

/** Something only a configuration file can hold: a function, a list of objects. Whoever uses it checks the inside. */
export function fromFileOnly(expected: string, accept: (value: unknown) => boolean): Kind {
  return kind(
    expected,
    (value) => (accept(value) ? value : undefined),
    () => undefined,
  );
}
