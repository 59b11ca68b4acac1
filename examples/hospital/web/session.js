// The one client of the page, and what the page remembers about tokens while it is open: nothing of this survives a reload
// but the HttpOnly cookie, which no script can read.
import { createClient } from '/latchkey-client/index.js';

export const client = createClient();

/** When this page received the token in hand, by this computer's clock, which may be wrong. */
let receivedAt = 0;

/** Tokens that this page has held: the "expired" attempt waits for one of them to die of old age. */
const earlier = [];

client.onChange(({ user }) => {
  if (user === undefined) return;
  receivedAt = Date.now();
  earlier.push({ token: client.accessToken, expiresAt: expiresAt() });
  if (earlier.length > 20) earlier.shift();
});

/** Milliseconds on this computer's clock; counted from the life, so that a wrong clock does no harm. */
export function expiresAt() {
  const { user } = client;
  return user === undefined ? 0 : receivedAt + (user.exp - user.iat) * 1000;
}

/** How much of the token's life is left, from 1 to 0, and how many seconds. */
export function lifeLeft() {
  const { user } = client;
  if (user === undefined) return { share: 0, seconds: 0 };
  const seconds = Math.max(0, (expiresAt() - Date.now()) / 1000);
  return { share: Math.min(1, seconds / (user.exp - user.iat)), seconds };
}

/** The token of this page that expires (or has expired) first. */
export function oldestToken() {
  return earlier[0];
}

export class CallError extends Error {
  constructor(status, body) {
    super(body.error_description ?? `The answer was ${status}.`);
    this.status = status;
    this.code = body.error;
    this.reason = body.reason;
  }
}

/** One call with the token; the parsed answer, or a CallError. */
export async function call(path, { method = 'GET', body } = {}) {
  const response = await counted(
    client.fetch(path, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    }),
  );
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new CallError(response.status, answer);
  return answer;
}

/** All items of a list, page after page, up to a sane number for a screen. */
export async function callList(path, most = 500) {
  const items = [];
  let after;
  do {
    const page = await call(`${path}?limit=100${after === undefined ? '' : `&after=${after}`}`);
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined && items.length < most);
  return items;
}

/** Calls under way, and what the person might do when they were last told. */
let underWay = 0;
let known;

function rights() {
  const { sub, roles, scope } = client.user ?? {};
  return { sub, may: `${roles} ${scope}` };
}

let settled = () => {};

/** Told when the same person's roles or permissions have changed, once the calls that found out are through. */
export function onRolesChange(listener) {
  client.onChange(({ cause }) => {
    if (cause !== 'refreshed' || known === undefined) known = rights();
  });
  settled = () => {
    if (underWay > 0 || client.user === undefined) return;
    const before = known;
    known = rights();
    if (known.sub === before?.sub && known.may !== before.may) listener(client.user);
  };
}

async function counted(work) {
  underWay += 1;
  try {
    return await work;
  } finally {
    underWay -= 1;
    // A view that needs several calls makes the next one at once: it shall not be drawn anew in between.
    setTimeout(() => settled(), 100);
  }
}
