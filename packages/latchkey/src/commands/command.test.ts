import assert from 'node:assert/strict';
import test from 'node:test';
import { CommandError } from '../failure.ts';
import { type Command, readInput, settingOptions } from './command.ts';
import { commands } from './table.ts';

const command: Command = {
  usage: 'user add NAME [ROLE...]',
  words: ['NAME', '[ROLE...]'],
  about: '',
  options: {
    email: { type: 'string', value: 'ADDRESS', about: '' },
    role: { type: 'string', multiple: true, about: '' },
    json: { type: 'boolean', about: '' },
  },
  run: async () => {},
};

function failure(args: readonly string[], of: Command = command): CommandError {
  try {
    readInput(of, args);
  } catch (error) {
    assert.ok(error instanceof CommandError);
    assert.equal(error.exitCode, 2);
    return error;
  }
  assert.fail(`${args.join(' ')} was accepted`);
}

test('words, options and repeated options are read', () => {
  const input = readInput(command, ['alice', '--role', 'a', '--email=x@y', 'more', '--role', 'b', '--json']);
  assert.deepEqual(input.words, ['alice', 'more']);
  assert.deepEqual(input.texts('role'), ['a', 'b']);
  assert.deepEqual([input.text('email'), input.has('json'), input.text('role')], ['x@y', true, undefined]);
});

test('a complaint is lower case, without a full stop, and has a hint', () => {
  const complaints: readonly (readonly [string[], string, string])[] = [
    [['a', '--emial', 'x'], 'there is no option --emial', 'did you mean --email?'],
    [['a', '--zebra'], 'there is no option --zebra', 'latchkey user add --help'],
    [['a', '--email'], '--email needs a value', '--email ADDRESS'],
    [['a', '--json=yes'], '--json takes no value', 'latchkey user add --help'],
    [[], 'name is missing', 'latchkey user add NAME [ROLE...]'],
  ];
  for (const [args, message, hint] of complaints) {
    const error = failure(args);
    assert.deepEqual([error.message, error.hint], [message, hint]);
  }
});

test('one word too many is refused where a command does not take any number', () => {
  const { words: _, ...wordless } = command;
  assert.match(failure(['x'], wordless).message, /'x' is one word too many/);
});

test('an id that begins with a dash is a word, a misspelt option is not', () => {
  const id = `-${'a'.repeat(21)}`;
  assert.deepEqual(readInput(command, [id, '--json']).words, [id]);
  assert.match(failure(['--emailaddress']).message, /no option --emailaddress/);
});

test('--help is always there and asks for no words', () => {
  assert.equal(readInput(command, ['--help']).help, true);
});

test('every command loads, says how it is called, and no option hides a setting of another meaning', async () => {
  for (const entry of commands) {
    const loaded = await entry.load();
    assert.ok(loaded.usage.startsWith(entry.name), entry.name);
    assert.match(entry.summary, /^[A-Z].*[^.]$/);
    assert.match(loaded.about, /\.$/, entry.name);
    for (const example of loaded.examples ?? []) assert.match(example, /latchkey/);
  }
  assert.ok('auth-port' in settingOptions() && 'data-dir' in settingOptions());
});
