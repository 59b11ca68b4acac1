// `latchkey token inspect`: what is in a token, what it means, and whether it would be accepted. The token is read here
// and goes nowhere: not over the network, not to our own server, not into a log.
import { readFileSync } from 'node:fs';
import { JwkError } from '@latchkey/core';
import { connectAdmin, socketPathOf } from '../admin/admin.ts';
import { CommandError, usageError } from '../failure.ts';
import { inspectSettings } from '../settings/settings.ts';
import { ask, readAll } from '../terminal/password.ts';
import { note, print, printJson, styled, table } from '../terminal/print.ts';
import { bareToken, type DecodedRefreshToken, type DecodedToken, decodeToken } from '../token/decode.ts';
import { type Explanation, explainClaims, explainHeader } from '../token/explain.ts';
import { type Judgement, judgeToken } from '../token/judge.ts';
import { type Command, type Input, jsonOption, locateOptions } from './command.ts';

export const tokenInspect: Command = {
  usage: 'token inspect [TOKEN]',
  words: ['[TOKEN]'],
  about:
    'Reads the token from standard input, or asks for it; as an argument it would stay in the shell’s history.\nIt is never sent anywhere. The keys come from the auth server of this machine or from a file.',
  options: {
    jwks: { type: 'string', value: 'FILE', about: 'Verify with the JWK Set in this file' },
    issuer: {
      type: 'string',
      value: 'URL',
      about: 'The issuer to expect (default: the one of the settings)',
    },
    audience: {
      type: 'string',
      value: 'NAME',
      about: 'The audience to expect (default: the one of the settings)',
    },
    ...locateOptions,
    ...jsonOption,
  },
  examples: [
    'latchkey token inspect < token.txt',
    'pbpaste | latchkey token inspect',
    'latchkey token inspect --jwks jwks.json < token.txt',
  ],
  async run(input) {
    const token = await readToken(input);
    const decoded = decodeToken(token);
    if (decoded.kind === 'unreadable') {
      throw new CommandError(`this is not a token: ${decoded.why}`, {
        hint: 'an access token looks like eyJ….eyJ….…',
      });
    }
    if (decoded.kind === 'refresh') return showRefreshToken(decoded, input.has('json'));
    const now = Date.now();
    const found = await findKeys(input);
    const judgement = judge(token, decoded, found, now);
    if (input.has('json')) return printJson({ header: decoded.header, claims: decoded.claims, ...judgement });
    show(decoded, judgement, now, found);
  },
};

async function readToken(input: Input): Promise<string> {
  const [argument] = input.words;
  if (argument !== undefined && argument !== '-') {
    note(
      'latchkey: a token given as an argument stays in the shell’s history until it is worthless; standard input is safer',
    );
    return bareToken(argument);
  }
  const text =
    process.stdin.isTTY && argument === undefined ? await ask('Token (not shown): ') : await readAll();
  if (text.trim() === '') throw usageError('no token was given', 'latchkey token inspect < token.txt');
  return bareToken(text);
}

interface FoundKeys {
  readonly jwks: unknown;
  readonly from: string | undefined;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
}

async function findKeys(input: Input): Promise<FoundKeys> {
  const issuer = input.text('issuer');
  const audience = input.text('audience');
  const file = input.text('jwks');
  if (file !== undefined) return { jwks: readJwks(file), from: file, issuer, audience };
  // Faults elsewhere in the settings are no reason not to look at a token.
  const { settings } = await inspectSettings({
    flags: { config: input.text('config'), 'data-dir': input.text('data-dir') },
  });
  const admin = await connectAdmin(socketPathOf(settings));
  if (admin === undefined) return { jwks: undefined, from: undefined, issuer, audience };
  const [keys, metadata] = await Promise.all([
    admin.send('GET', '/auth/.well-known/jwks.json'),
    admin.send('GET', '/auth/.well-known/openid-configuration'),
  ]);
  const running = (metadata.body as { issuer?: string } | undefined)?.issuer;
  return { jwks: keys.body, from: 'the auth server of this machine', issuer: issuer ?? running, audience };
}

function readJwks(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw usageError(
      missing ? `there is no file ${file}` : `${file} is not a jwk set`,
      'curl -s ISSUER/.well-known/jwks.json > jwks.json',
    );
  }
}

function judge(
  token: string,
  { claims }: DecodedToken,
  { jwks, issuer, audience, from }: FoundKeys,
  now: number,
): Judgement {
  try {
    return judgeToken(token, claims, jwks, { issuer, audience, now });
  } catch (error) {
    if (error instanceof JwkError)
      throw new CommandError(`${from} does not hold a usable jwk set: ${error.message}`);
    throw error;
  }
}

function show(
  { header, claims, signatureBytes }: DecodedToken,
  judgement: Judgement,
  now: number,
  { from }: FoundKeys,
): void {
  print(styled('bold', 'Header'));
  printExplanations(explainHeader(header));
  print(`\n${styled('bold', 'Claims')}`);
  printExplanations(explainClaims(claims, now));
  print(`\n${styled('bold', 'Signature')}`);
  const origin = judgement.signature === 'unchecked' ? '' : ` (keys: ${from})`;
  print(`  ${judgement.signature}, ${signatureBytes} bytes${origin}`);
  print(`\n${verdict(judgement)}`);
  for (const problem of judgement.problems) print(`  - ${problem}`);
  print(styled('dim', `not checked: ${judgement.unchecked.join('; ')}`));
}

function verdict({ accepted }: Judgement): string {
  if (accepted === undefined)
    return styled(
      ['bold', 'yellow'],
      'Not known: nothing speaks against it, but its signature was not checked',
    );
  return accepted ? styled(['bold', 'green'], 'Accepted') : styled(['bold', 'red'], 'Refused');
}

function printExplanations(explanations: readonly Explanation[]): void {
  const rows = explanations.map(({ name, value, meaning }) => [
    name,
    value.length > 48 ? `${value.slice(0, 47)}…` : value,
    meaning,
  ]);
  for (const line of table(['', '', ''], rows).split('\n').slice(1)) print(`  ${line}`);
}

function showRefreshToken(token: DecodedRefreshToken, json: boolean): void {
  const { sessionId, generation, keyId, version } = token;
  if (json) {
    printJson({ kind: 'refresh_token', session_id: sessionId, generation, key_id: keyId, version });
    return;
  }
  print(styled('bold', 'A refresh token'));
  print(`  session     ${sessionId}`);
  print(`  generation  ${generation} (how often it was rotated)`);
  print(`  key         ${keyId}, layout ${version}`);
  print(
    '\nWhoever holds it is signed in. Only the auth server can verify it; it should not have been copied here.',
  );
  print('latchkey session end SESSION ends the session it belongs to.');
}
