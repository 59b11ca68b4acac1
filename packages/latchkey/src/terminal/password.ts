// Passwords come from a prompt that shows nothing, or from standard input. Never from the command line: arguments are
// visible to every user of the machine and stay in the shell's history.
import { randomBytes } from 'node:crypto';
import { usageError } from '../failure.ts';
import { note } from './print.ts';

export interface PasswordRequest {
  /** Read one line from standard input instead of asking. */
  readonly fromStdin: boolean;
  readonly prompt: string;
  /** Ask a second time, because a new password cannot be checked against anything. */
  readonly twice: boolean;
}

/** @throws CommandError when there is nothing to read or the two entries differ */
export async function readPassword({ fromStdin, prompt, twice }: PasswordRequest): Promise<string> {
  if (fromStdin) return firstLineOf(await readAll());
  if (!process.stdin.isTTY) {
    throw usageError(
      'there is no terminal to ask for a password',
      'give it on standard input with --password-stdin',
    );
  }
  const first = await ask(`${prompt}: `);
  if (twice && (await ask(`${prompt} again: `)) !== first) throw usageError('the two passwords differ');
  if (first === '') throw usageError('no password was given');
  return first;
}

/** Standard input as text, whole. */
export async function readAll(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function firstLineOf(text: string): string {
  const line = text.split(/\r?\n/, 1)[0] ?? '';
  if (line === '') throw usageError('standard input holds no password');
  return line;
}

/** Reads a line without echo. Ctrl-C ends the command, as it would anywhere else. */
export function ask(prompt: string): Promise<string> {
  const { stdin } = process;
  // Before the prompt: whoever types as soon as they see it is not echoed either.
  stdin.setRawMode(true);
  process.stderr.write(prompt);
  stdin.setEncoding('utf8');
  return new Promise((resolve) => {
    let typed: string[] = [];
    const finish = () => {
      stdin.setRawMode(false);
      stdin.pause();
      stdin.off('data', onData);
      note('');
    };
    const onData = (chunk: string) => {
      for (const character of chunk) {
        if (character === '\r' || character === '\n' || character === '\u0004') {
          finish();
          return resolve(typed.join(''));
        }
        if (character === '\u0003') {
          finish();
          process.exit(130);
        }
        if (character === '\u007f' || character === '\b') typed = typed.slice(0, -1);
        else if (character === '\u0015') typed = [];
        else if (character >= ' ') typed.push(character);
      }
    };
    stdin.on('data', onData);
    stdin.resume();
  });
}

const alphabet = '23456789abcdefghjkmnpqrstvwxyz'; // without what is mistaken for something else: 0 1 i l o u

/** 20 characters out of 30 (98 bits) in groups of five: long enough for any rule here, and readable aloud. */
export function randomPassword(): string {
  const characters: string[] = [];
  while (characters.length < 20) {
    for (const byte of randomBytes(32)) {
      // 240 is the largest multiple of 30 in a byte: what lies above would make some characters likelier.
      if (byte < 240 && characters.length < 20) characters.push(alphabet[byte % 30]!);
    }
  }
  return characters.join('').replaceAll(/(.{5})(?=.)/g, '$1-');
}
