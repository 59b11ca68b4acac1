// `latchkey key …`: the signing keys. Private keys never leave the server; what is shown is names and times.
import { call, collect, type KeyView } from '../admin/answers.ts';
import { print, printJson, table, when } from '../terminal/print.ts';
import { withAdmin } from './administer.ts';
import { type Command, jsonOption, locateOptions } from './command.ts';

const common = { ...locateOptions, ...jsonOption } as const;

const meaning = {
  next: 'published, signs soon',
  current: 'signs now',
  previous: 'signs no more, its tokens are still valid',
} as const;

export const keyList: Command = {
  usage: 'key list',
  about: 'A key is next, then current, then previous, then gone.',
  options: common,
  async run(input) {
    await withAdmin(input, async (admin) => {
      const keys = await collect<KeyView>(admin, '/auth/admin/keys', 'keys');
      if (input.has('json')) return printJson(keys);
      print(
        table(
          ['key', 'algorithm', 'state', 'since', 'until', ''],
          keys.map((key) => [
            key.kid,
            key.alg,
            key.state,
            when(key.activates_at ?? key.created_at),
            key.retires_at === undefined ? '' : when(key.retires_at),
            meaning[key.state],
          ]),
        ),
      );
    });
  },
};

export const keyRotate: Command = {
  usage: 'key rotate',
  about:
    'Rotation happens by itself; this does it sooner. The new key is published first and signs when every\ncache has it. Nobody is signed out. A key that leaked is removed with latchkey key remove.',
  options: common,
  async run(input) {
    await withAdmin(input, async (admin) => {
      const answer = await call<KeyView | undefined>(admin, 'POST', '/auth/admin/keys/rotate', 'rotation');
      const keys = await collect<KeyView>(admin, '/auth/admin/keys', 'keys');
      if (input.has('json')) return printJson(answer ?? keys);
      const next = keys.find((key) => key.state === 'next');
      print(
        next === undefined
          ? 'rotated'
          : `${next.kid} signs ${next.activates_at === undefined ? 'soon' : `from ${when(next.activates_at)}`}`,
      );
    });
  },
};

export const keyRemove: Command = {
  usage: 'key remove KEY',
  words: ['KEY'],
  about:
    'For a private key that leaked: every token it signed is refused at once, everywhere. Clients refresh by themselves;\nnobody is signed out. For anything else, latchkey key rotate is the gentle way.',
  options: common,
  async run(input) {
    const kid = input.words[0]!;
    await withAdmin(input, async (admin) => {
      await call(admin, 'DELETE', `/auth/admin/keys/${encodeURIComponent(kid)}`, `key ${kid}`);
      if (input.has('json')) return printJson({ removed: kid });
      print(`${kid} is removed; tokens it signed are refused`);
    });
  },
};
