// The cheats. Each sends a real request and shows the real answer; none of them is simulated. An attempt is made of
//   id, title, hope (what the cheat hopes for), lesson (why it fails), run(say) → { token?, changed?, differences?, request, answer }
import { decode, encode, signWithOwnKey, signWithText } from './jwt.js';
import { call, client, oldestToken } from './session.js';

/** A call that everybody's untouched token may make, so that a refusal can only come from the cheat. */
const target = '/api/appointments?limit=1';
const everything = 'records:read records:write appointments:read appointments:write';

async function send(path, { method = 'GET', headers = {}, body, credentials = 'same-origin' } = {}) {
  const response = await fetch(path, { method, headers, body, credentials, cache: 'no-store' });
  const text = await response.text();
  const answer = {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    body: parse(text),
  };
  return { request: { method, path, headers, body }, answer };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, 300);
  }
}

async function sendToken(token, changed, differences, path = target) {
  const sent = await send(path, { headers: { authorization: `Bearer ${token}` } });
  return { token, changed, differences, ...sent };
}

function mine() {
  return decode(client.accessToken);
}

/** The claims with a role that this person does not have, and every permission. */
function promoted(claims) {
  return {
    ...claims,
    roles: [claims.roles.includes('doctor') ? 'administrator' : 'doctor'],
    scope: everything,
  };
}

function promotion(claims) {
  return ['roles', claims.roles.join(', '), promoted(claims).roles.join(', ')];
}

export const attempts = [
  {
    id: 'promote',
    title: 'Promote myself',
    hope: 'Write a better role and every permission into the payload and leave the rest as it is.',
    lesson: 'The signature was made over the old payload. It does not fit the new one.',
    async run() {
      const { claims, parts } = mine();
      const token = `${parts[0]}.${encode(promoted(claims))}.${parts[2]}`;
      return sendToken(token, [1], [promotion(claims), ['scope', claims.scope || 'none', everything]]);
    },
  },
  {
    id: 'forever',
    title: 'Live a year longer',
    hope: 'Move the expiry a year ahead.',
    lesson: 'The same: every byte of the payload is under the signature.',
    async run() {
      const { claims, parts } = mine();
      const exp = claims.exp + 31_536_000;
      return sendToken(
        `${parts[0]}.${encode({ ...claims, exp })}.${parts[2]}`,
        [1],
        [['exp', String(claims.exp), String(exp)]],
      );
    },
  },
  {
    id: 'none',
    title: 'No signature, please',
    hope: 'Say “alg: none” in the header and drop the signature. Early JWT libraries believed it.',
    lesson: 'The verifier never lets a token choose how it is checked. “none” is not in its table.',
    async run() {
      const { header, claims } = mine();
      const token = `${encode({ ...header, alg: 'none' })}.${encode(promoted(claims))}.`;
      return sendToken(token, [0, 1, 2], [['alg', header.alg, 'none'], promotion(claims)]);
    },
  },
  {
    id: 'confuse',
    title: 'Use the public key as a password',
    hope: 'Sign with HMAC and the public key as its secret: the verifier has that key at hand.',
    lesson: 'A key is for exactly one algorithm, and no public key ever becomes an HMAC secret.',
    async run() {
      const { header, claims } = mine();
      const { keys } = await (await fetch('/auth/.well-known/jwks.json')).json();
      const key = keys.find(({ kid }) => kid === header.kid) ?? keys[0];
      const token = await signWithText(header, promoted(claims), JSON.stringify(key));
      return sendToken(
        token,
        [0, 1, 2],
        [
          ['alg', header.alg, 'HS256'],
          ['signed with', 'the issuer’s private key', 'the published public key'],
        ],
      );
    },
  },
  {
    id: 'foreign',
    title: 'Sign it myself',
    hope: 'Make a key pair here and now, and sign the same claims under the issuer’s key id.',
    lesson: 'A perfect signature by an unknown key. The verifier looks up the real key, and it does not fit.',
    async run() {
      const { header, claims } = mine();
      const { plain } = await signWithOwnKey(header, promoted(claims));
      return sendToken(plain, [1, 2], [['signed with', 'the issuer’s private key', 'a key of this page']]);
    },
  },
  {
    id: 'bring',
    title: 'Bring my own key along',
    hope: 'Put that new public key into the header (“jwk”) and hope that it is used for the check.',
    lesson: 'Keys come from the configured issuer only. A token that carries one is refused unread.',
    async run() {
      const { header, claims } = mine();
      const { withKey } = await signWithOwnKey(header, promoted(claims));
      return sendToken(withKey, [0, 1, 2], [['jwk', 'absent', 'a key of this page']]);
    },
  },
  {
    id: 'expired',
    title: 'Use a token that has expired',
    hope: 'Keep a real token past its end. Nothing in it is forged.',
    lesson:
      'The signature is right and the time is not. The client reads the reason and refreshes; a thief cannot.',
    /** Seconds until there is an expired token; the verifiers allow clocks to differ by 30 s. */
    wait: () => Math.max(0, (oldestToken().expiresAt + 31_000 - Date.now()) / 1000),
    async run() {
      return sendToken(oldestToken().token, [], [['exp', 'in the future', 'over']]);
    },
  },
  {
    id: 'kind',
    title: 'Use something else that the issuer signed',
    hope: 'The issuer signs more than access tokens. Take the signature of its revocation list: right key, right form.',
    lesson: 'A token says in its header what it is (“typ”), and only an access token opens anything.',
    async run() {
      const { header } = mine();
      const response = await fetch('/auth/signals/snapshot');
      const token = response.headers.get('latchkey-signature');
      await response.body?.cancel();
      return sendToken(token, [], [['typ', header.typ, decode(token).header.typ]]);
    },
  },
  {
    id: 'audience',
    title: 'Use a token made for somebody else',
    hope: 'Ask the auth server for a real token for its own administration, and bring it to the hospital.',
    lesson: 'Signature, expiry and issuer are right; the audience is not this hospital.',
    async run() {
      const { claims } = mine();
      const form = new URLSearchParams({ grant_type: 'refresh_token', audience: claims.iss });
      const asked = await send('/auth/token', { method: 'POST', headers: { 'x-latchkey': '1' }, body: form });
      const token = asked.answer.body.access_token;
      if (token === undefined) return asked;
      return sendToken(token, [], [['aud', String(claims.aud), String(decode(token).claims.aud)]]);
    },
  },
  {
    id: 'headers',
    title: 'Pretend that the gateway vouched for me',
    hope: 'Send the headers that the gateway adds for the services, with a better name in them.',
    lesson:
      'The gateway throws away every copy that a client sends, and the services look at the token anyway.',
    harmless: 'The answer is your own, as if you had not tried.',
    async run() {
      const headers = {
        authorization: `Bearer ${client.accessToken}`,
        'x-auth-subject': 'somebody-else',
        'x-auth-roles': 'doctor',
        'x-auth-scope': everything,
      };
      return { token: client.accessToken, ...(await send(target, { headers })) };
    },
  },
  {
    id: 'neighbour',
    title: 'Read somebody else’s records',
    hope: 'A real token, and another patient’s number in the address.',
    lesson:
      'The service compares the patient’s sub with yours. A patient that does not exist gets the same answer.',
    allowed:
      'Your role may read all records, so this is no cheating. Sign in as ann.lee or robin.desk and try again.',
    async run() {
      const own = await call('/api/patients').catch(() => ({ items: [] }));
      const other =
        ['p-1001', 'p-1002'].find((id) => !own.items.some((patient) => patient.id === id)) ?? 'p-1002';
      const headers = { authorization: `Bearer ${client.accessToken}` };
      return {
        token: client.accessToken,
        ...(await send(`/api/patients/${other}/records?limit=1`, { headers })),
      };
    },
  },
  {
    id: 'cookie',
    title: 'Take another’s cookie',
    hope: 'Read the refresh cookie, or put in a made-up one.',
    lesson:
      'No script can read the cookie (HttpOnly). A made-up refresh token fails its MAC before the database is touched.',
    async run() {
      const bytes = crypto.getRandomValues(new Uint8Array(54));
      bytes[0] = 1;
      const forged = `lkr_${btoa(String.fromCharCode(...bytes))
        .replaceAll('+', '-')
        .replaceAll('/', '_')}`;
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: forged });
      // Without our own cookie: a request with both is refused for that alone.
      const sent = await send('/auth/token', {
        method: 'POST',
        headers: { 'x-latchkey': '1' },
        body,
        credentials: 'omit',
      });
      const seen = document.cookie === '' ? 'nothing' : document.cookie;
      return { ...sent, differences: [['cookies that this page can see', 'the refresh cookie', seen]] };
    },
  },
  {
    id: 'afterwards',
    title: 'Keep the token and sign out',
    hope: 'A JWT lives until it expires, they say. So copy it, sign out, and go on with the copy.',
    lesson: 'The gateway heard of the sign-out and refuses the copy, though signature and expiry are right.',
    last: true,
    async run() {
      const token = client.accessToken;
      await client.logout();
      const began = performance.now();
      let sent = await sendToken(token, []);
      while (sent.answer.status !== 401 && performance.now() - began < 5000)
        sent = await sendToken(token, []);
      const took = `${Math.round(performance.now() - began)} ms after the sign-out`;
      return {
        ...sent,
        differences: [
          ['session', 'alive', 'ended'],
          ['refused', 'never', took],
        ],
      };
    },
  },
];
