// What an application may add to an access token: tenant, department, doctor id. A token is encoded, not encrypted, and is read
// by every service, log and browser extension on its way.
//
// Rules: registered names are ours; names that smell of secrets or of personal data nobody needs are refused; 2 KiB at most.
import { Buffer } from 'node:buffer';

/** Bytes of the custom claims as JSON. */
export const maxCustomClaimsBytes = 2048;

/** RFC 7519 §4.1, RFC 9068 §2.2, RFC 8693, RFC 9449, OpenID Connect Core §2, and our own. */
const registered = new Set([
  ...[
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'sid',
    'client_id',
    'auth_time',
    'preferred_username',
    'roles',
    'scope',
  ],
  ...[
    'ver',
    'rver',
    'groups',
    'entitlements',
    'acr',
    'amr',
    'azp',
    'nonce',
    'at_hash',
    'c_hash',
    's_hash',
    'act',
    'may_act',
    'cnf',
  ],
  ...[
    'events',
    'toe',
    'txn',
    'scp',
    'typ',
    'alg',
    'kid',
    'token_introspection',
    'authorization_details',
    'sub_id',
  ],
]);

/** Compared with the name in lower case and without separators, as a part of it. */
const sensitive = [
  ...[
    'password',
    'passwd',
    'passphrase',
    'secret',
    'credential',
    'privatekey',
    'apikey',
    'accesstoken',
    'refreshtoken',
    'idtoken',
  ],
  ...[
    'sessioncookie',
    'socialsecurity',
    'creditcard',
    'cardnumber',
    'cvv',
    'iban',
    'bankaccount',
    'passport',
    'taxid',
    'birthdate',
  ],
  ...['dateofbirth', 'diagnosis', 'email', 'phonenumber'],
];

/** Compared with the whole name in lower case and without separators: too short to look for inside other words. */
const sensitiveWords = new Set([
  'ssn',
  'pin',
  'otp',
  'pwd',
  'pass',
  'hash',
  'salt',
  'pan',
  'cvc',
  'dob',
  'phone',
  'token',
  'cookie',
  'mrn',
]);

const namePattern = /^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/;

/**
 * The faults of claims that an application wants to add, one line each; empty when they may go into a token. Looks at names at
 * every depth, at the size, and at whether they survive JSON. Cannot know whether a value is secret.
 */
export function checkCustomClaims(custom: unknown): string[] {
  if (typeof custom !== 'object' || custom === null || Array.isArray(custom))
    return ['custom claims must be an object'];
  const faults: string[] = [];
  for (const name of Object.keys(custom)) {
    if (registered.has(name)) faults.push(`the claim ${name} is registered and cannot be set`);
  }
  checkValue(custom, 7, faults);
  if (faults.length > 0) return faults;
  const bytes = Buffer.byteLength(JSON.stringify(custom), 'utf8');
  if (bytes > maxCustomClaimsBytes)
    faults.push(`custom claims take ${bytes} bytes, at most ${maxCustomClaimsBytes} are allowed`);
  return faults;
}

function checkValue(value: unknown, depth: number, faults: string[]): void {
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    if (!value.isWellFormed()) faults.push('a custom claim holds text that is not Unicode');
  } else if (typeof value === 'number') {
    if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER))
      faults.push('a custom claim holds a number that JSON cannot carry safely');
  } else if (typeof value !== 'object' || 'toJSON' in value) {
    faults.push('a custom claim holds something that is not JSON');
  } else if (depth === 0) {
    faults.push('custom claims are nested too deeply');
  } else if (Array.isArray(value)) {
    for (const element of value) checkValue(element, depth - 1, faults);
  } else {
    for (const [name, member] of Object.entries(value)) {
      checkName(name, faults);
      checkValue(member, depth - 1, faults);
    }
  }
}

function checkName(name: string, faults: string[]): void {
  if (!namePattern.test(name)) {
    faults.push(
      'a custom claim has a name that is not letters, digits and _ . : / - (128 at most, a letter first)',
    );
    return;
  }
  const bare = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  if (sensitiveWords.has(bare) || sensitive.some((word) => bare.includes(word))) {
    faults.push(`the claim ${name} looks sensitive: a token is readable by everybody who holds it`);
  }
}
