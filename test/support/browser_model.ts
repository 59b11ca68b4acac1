// A model of browsers with several tabs each, on a moved clock: every tab refreshes by itself at the moments that the client
// library would choose (a random one between half and nine tenths of a token's life), the tabs share the cookie and the
// Idempotency-Key, requests and answers take their time, some are lost, and laptops sleep. The server is the real one.

export interface ModelOptions {
  readonly browsers: number;
  readonly tabs: number;
  /** Seconds of moved time. */
  readonly duration: number;
  /** Seconds: the life of an access token. */
  readonly tokenLife: number;
  /** Parts of one: requests that never arrive, and answers that never come back. */
  readonly lost: number;
  /** Seconds: the longest that a request or an answer is on its way. */
  readonly maxDelay: number;
  readonly random: () => number;
  /** Moves the server's clock forward by seconds. */
  readonly move: (seconds: number) => void;
  /** A sign-in in cookie mode: answers the cookie. */
  readonly signIn: () => Promise<string>;
  /** A refresh as it arrives at the server: the cookie that it sets, or none, or why it was refused. */
  readonly refresh: (cookie: string, key: string) => Promise<ModelAnswer>;
}

export type ModelAnswer = { readonly cookie: string | undefined } | { readonly refused: string };

export interface ModelResult {
  readonly refreshes: number;
  readonly lost: number;
  /** Refreshes that came with a token that had been exchanged already: without the rules for racers, sign-outs. */
  readonly behind: number;
  /** Browsers that were signed out, by reason. */
  readonly signedOut: Readonly<Record<string, number>>;
  /** Generations of a session that had two different tokens. */
  readonly forks: number;
}

interface Browser {
  cookie: string;
  /** Shared by all tabs until an answer has come. */
  key: string | undefined;
  asleepUntil: number;
  readonly tokens: Map<number, string>;
}

interface Step {
  readonly at: number;
  readonly run: () => Promise<void> | void;
}

/** Steps of one such stretch of moved time reach the server together, as parallel requests. Seconds. */
const stretch = 1;

/** The generation that a refresh cookie carries (bytes 18–21 of the token). */
function generationOf(cookie: string): number {
  return Buffer.from(cookie.slice(cookie.indexOf('lkr_') + 4), 'base64url').readUInt32BE(18);
}

/** Steps by the stretch of time they fall in. */
function createAgenda(duration: number) {
  const slots: Step[][] = Array.from({ length: Math.ceil(duration / stretch) }, () => []);
  return {
    slots,
    add(at: number, run: Step['run']): void {
      slots[Math.floor(at / stretch)]?.push({ at, run });
    },
  };
}

export async function runBrowserModel(options: ModelOptions): Promise<ModelResult> {
  const { random, tokenLife, maxDelay } = options;
  const agenda = createAgenda(options.duration);
  const totals = { refreshes: 0, lost: 0, behind: 0, forks: 0 };
  const signedOut: Record<string, number> = {};
  let keys = 0;

  // Most are fast, a few take nearly as long as may be.
  const delay = () => maxDelay * random() ** 6;
  const nextRefresh = (now: number) => now + tokenLife * (0.5 + 0.4 * random());

  function note(browser: Browser, cookie: string): void {
    const generation = generationOf(cookie);
    const known = browser.tokens.get(generation);
    if (known !== undefined && known !== cookie) totals.forks += 1;
    browser.tokens.set(generation, cookie);
  }

  /** A tab finds that it is time: it takes the cookie and the shared key as they are at this moment. */
  function begin(browser: Browser, now: number): void {
    if (now < browser.asleepUntil) {
      const wake = browser.asleepUntil + random();
      agenda.add(wake, () => begin(browser, wake));
      return;
    }
    browser.key ??= `model-key-${keys++}`.padEnd(20, '.');
    const { cookie, key } = browser;
    if (random() < options.lost) {
      loseAndRetry(browser, now);
      return;
    }
    const arrival = now + delay();
    agenda.add(arrival, () => arrive(browser, cookie, key, arrival));
  }

  function loseAndRetry(browser: Browser, now: number): void {
    totals.lost += 1;
    // One in five lost answers is lost because the lid was closed: all tabs wake up together, much later.
    if (random() < 0.2) browser.asleepUntil = now + 60 + 1800 * random();
    const retry = now + 1 + 60 * random();
    agenda.add(retry, () => begin(browser, retry));
  }

  async function arrive(browser: Browser, cookie: string, key: string, now: number): Promise<void> {
    if (signedOutAlready.has(browser)) return;
    totals.refreshes += 1;
    if (generationOf(cookie) < Math.max(...browser.tokens.keys())) totals.behind += 1;
    const answer = await options.refresh(cookie, key);
    if ('refused' in answer) {
      signedOutAlready.add(browser);
      signedOut[answer.refused] = (signedOut[answer.refused] ?? 0) + 1;
      return;
    }
    if (answer.cookie !== undefined) note(browser, answer.cookie);
    if (random() < options.lost) return loseAndRetry(browser, now);
    const back = now + delay();
    agenda.add(back, () => settle(browser, key, answer.cookie, back));
  }

  function settle(browser: Browser, key: string, cookie: string | undefined, now: number): void {
    // Without a new cookie the old one stays, and the key that belongs to it.
    if (cookie !== undefined) {
      browser.cookie = cookie;
      if (browser.key === key) browser.key = undefined;
    }
    const next = nextRefresh(now);
    agenda.add(next, () => begin(browser, next));
  }

  const signedOutAlready = new Set<Browser>();
  for (let i = 0; i < options.browsers; i += 1) {
    const cookie = await options.signIn();
    const browser: Browser = {
      cookie,
      key: undefined,
      asleepUntil: 0,
      tokens: new Map([[generationOf(cookie), cookie]]),
    };
    for (let tab = 0; tab < options.tabs; tab += 1) {
      // Half of the browsers restore all their tabs at once, the others opened them one by one.
      const first = i % 2 === 0 ? 1 + random() : nextRefresh(0);
      agenda.add(first, () => begin(browser, first));
    }
  }
  for (const slot of agenda.slots) {
    // Steps that the steps of this very stretch add to it (fast answers) are taken in the next rounds.
    for (let batch = slot.splice(0); batch.length > 0; batch = slot.splice(0))
      await Promise.all(batch.sort((a, b) => a.at - b.at).map((step) => step.run()));
    options.move(stretch);
  }
  return { ...totals, signedOut };
}

/** A small seeded generator (mulberry32), so that a run can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
