// What every part of a token means, in a few words, with the value as a person reads it.
import { printable, when } from '../terminal/print.ts';

export interface Explanation {
  readonly name: string;
  readonly value: string;
  readonly meaning: string;
}

type Meaning = string | ((value: unknown, now: number) => string);

const headerMeanings: Readonly<Record<string, Meaning>> = {
  alg: (value) =>
    value === 'none'
      ? 'NOT SIGNED: every verifier must refuse this'
      : 'how it is signed; must be the algorithm of the key',
  kid: 'which key signed it',
  typ: (value) => (value === 'at+jwt' ? 'an access token (RFC 9068)' : 'what kind of token it is'),
  jwk: 'A KEY SENT ALONG: never to be believed (RFC 8725 §3.10)',
  jku: 'AN ADDRESS OF KEYS SENT ALONG: never to be followed (RFC 8725 §3.10)',
  x5u: 'AN ADDRESS OF A CERTIFICATE SENT ALONG: never to be followed',
  x5c: 'A CERTIFICATE SENT ALONG: never to be believed',
  crit: 'extensions a verifier must understand; latchkey uses none and refuses',
  b64: 'an unusual encoding of the payload; refused',
  zip: 'compression; refused',
  cty: 'what the payload is',
};

const claimMeanings: Readonly<Record<string, Meaning>> = {
  iss: 'who issued it',
  sub: 'the user’s id, which never changes',
  aud: 'who it is for: everybody else must refuse it',
  exp: (value, now) => timeMeaning('valid until', value, now),
  nbf: (value, now) => timeMeaning('not valid before', value, now),
  iat: (value, now) => timeMeaning('issued', value, now),
  auth_time: (value, now) => timeMeaning('the password was given', value, now),
  jti: 'the token’s own id: this one token can be revoked',
  sid: 'the session: signing out ends all its tokens',
  client_id: 'the application it was issued to',
  preferred_username: 'the name to show; may change, so never a key',
  roles: 'the user’s roles when it was issued',
  scope: 'what it permits at this audience',
  ver: 'the user’s claims version: a change of roles or a ban makes lower ones worthless',
  rver: 'the version of the table of roles',
  cnf: 'bound to a key its holder must prove to have',
  nonce: 'ties it to one sign-in request',
  azp: 'the application it was issued to',
};

export function explainHeader(header: Readonly<Record<string, unknown>>): Explanation[] {
  return explain(header, headerMeanings, 0);
}

/** `now` in milliseconds. */
export function explainClaims(claims: Readonly<Record<string, unknown>>, now: number): Explanation[] {
  return explain(claims, claimMeanings, now);
}

function explain(
  values: Readonly<Record<string, unknown>>,
  meanings: Readonly<Record<string, Meaning>>,
  now: number,
): Explanation[] {
  return Object.entries(values).map(([name, value]) => {
    const meaning = Object.hasOwn(meanings, name) ? meanings[name]! : 'a claim of the application';
    return {
      name: printable(name),
      value: printable(typeof value === 'string' ? value : JSON.stringify(value)),
      meaning: typeof meaning === 'string' ? meaning : meaning(value, now),
    };
  });
}

function timeMeaning(words: string, value: unknown, now: number): string {
  if (typeof value !== 'number' || !Number.isFinite(value))
    return `${words} … but this is no time in seconds`;
  // A date beyond what JavaScript can show, or milliseconds where seconds are due.
  if (value > 1e11) return `${words} … but this is not in seconds; milliseconds?`;
  return `${words} ${when(value * 1000)} (${distance(value * 1000 - now)})`;
}

/** `4 min ago`, `in 20 s`. */
export function distance(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000);
  const [amount, unit] =
    seconds < 120
      ? [seconds, 's']
      : seconds < 7200
        ? [Math.round(seconds / 60), 'min']
        : seconds < 172_800
          ? [Math.round(seconds / 3600), 'h']
          : [Math.round(seconds / 86_400), 'days'];
  return milliseconds < 0 ? `${amount} ${unit} ago` : `in ${amount} ${unit}`;
}
